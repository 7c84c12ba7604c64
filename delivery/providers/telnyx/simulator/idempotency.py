"""``Idempotency-Key`` as Telnyx documents it: only successes are stored, for 24 hours."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from delivery.providers.simulator.server import Answer
from delivery.providers.telnyx.simulator.answers import RefusedError

KEPT_SECONDS = 24 * 3600
MAX_BODY = 8 * 1024 * 1024
_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")


@dataclass(slots=True)
class _Record:
    fingerprint: bytes
    answer: Answer | None
    """The stored answer; None: the request is in progress."""
    at: float


class IdempotencyKeys:
    """Records by target (method, path) and key, with query and body as the fingerprint."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], _Record] = {}

    def begin(self, target: str, key: str, content: bytes) -> Answer | None:
        """Return the answer to replay, or None: then the caller processes the request and calls
        ``finish``.

        Raise RefusedError: 10036 in progress, 10027 same key with other content.
        """
        fingerprint = hashlib.sha256(content).digest()
        with self._lock:
            record = self._records.get((target, key))
            if record is None or self._is_over(record):
                self._records[target, key] = _Record(fingerprint, None, self._clock())
                return None
        if record.fingerprint != fingerprint:
            raise RefusedError("10027", "The idempotency key was used with another request.")
        if record.answer is None:
            raise RefusedError("10036", "A request with this idempotency key is in progress.")
        return replace(record.answer, headers={"Idempotent-Replayed": "true"})

    def finish(self, target: str, key: str, answer: Answer | None) -> None:
        """Store the answer of a success; None frees the key."""
        with self._lock:
            record = self._records.get((target, key))
            if record is None:
                return
            if answer is None:
                del self._records[target, key]
                return
            record.answer, record.at = answer, self._clock()

    def clear(self) -> None:
        with self._lock:
            self._records.clear()

    def _is_over(self, record: _Record) -> bool:
        return record.answer is not None and self._clock() - record.at >= KEPT_SECONDS


def key_of(values: list[str]) -> str | None:
    """Return the key in the request's headers, or None. Raise RefusedError for a malformed key."""
    if not values:
        return None
    if len(values) > 1 or not _KEY.fullmatch(values[0]):
        raise RefusedError(
            "10015", "Idempotency-Key must be given once, as 1 to 255 of [A-Za-z0-9_:-]."
        )
    return values[0]
