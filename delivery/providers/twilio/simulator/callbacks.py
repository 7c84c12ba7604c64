"""Signed form posts to our webhooks: status callbacks and inbound texts.

Twilio repeats a call once, and only if it could not connect. The fragment of the URL overrides that:
``#rc=5&rp=all`` (``rc``: retries, 0 to 5; ``rp``: after 4xx, 5xx, ct, rt, all). A retry has the same
``I-Twilio-Idempotency-Token``.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlencode

import urllib3

from delivery.providers.simulator.timers import Timers
from delivery.providers.twilio.signature import compute
from delivery.providers.twilio.simulator.options import Options

_RETRY_SECONDS = 0.1
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A webhook call on its way to one URL."""

    url: str
    fields: Mapping[str, str]
    signature: str = "good"
    attempt: int = 1
    generation: int = 0
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when it was delivered or given up."""

    @property
    def address(self) -> str:
        return self.url.partition("#")[0]

    def may_repeat(self, failure: str) -> bool:
        overrides = parse_qs(self.url.partition("#")[2])
        retries = int(overrides.get("rc", ["1"])[0])
        kinds = set(overrides.get("rp", ["ct"])[0].split(","))
        return self.attempt <= retries and bool(kinds & {failure, "all"})


class Callbacks:
    """Delivers callbacks from a pool of threads with kept connections."""

    def __init__(self, options: Options, timers: Timers, auth_token: str) -> None:
        self._options, self._timers, self._auth_token = options, timers, auth_token
        self._http = urllib3.PoolManager(maxsize=16, retries=False)
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="simulator-callbacks")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._generation = 0

    def send(self, callback: Callback) -> Callback:
        """Return at once; ``settled`` tells when it is over."""
        callback = replace(callback, generation=self._generation)
        self._count("events")
        if not self._options.webhooks or not callback.url:
            self._settle(callback, "lost")
        else:
            self._submit(callback)
        return callback

    def counts(self) -> dict[str, int]:
        with self._lock:
            names = ("events", "attempts", "delivered", "given_up", "lost")
            return {name: self._counts[name] for name in names}

    def clear(self) -> None:
        """Forget the callbacks that are on their way."""
        with self._lock:
            self._generation += 1
            self._counts.clear()

    def stop(self) -> None:
        self.clear()
        self._threads.shutdown(cancel_futures=True)
        self._http.clear()

    def _submit(self, callback: Callback) -> None:
        if callback.generation != self._generation:
            return
        try:
            self._threads.submit(self._attempt, callback)
        except RuntimeError:
            return  # The simulator has stopped.

    def _attempt(self, callback: Callback) -> None:
        if callback.generation != self._generation:
            return
        failure = self._post(callback)
        if callback.generation != self._generation:
            return
        self._count("attempts")
        if not failure:
            self._settle(callback, "delivered")
        elif callback.may_repeat(failure):
            following = replace(callback, attempt=callback.attempt + 1)
            self._timers.after(_RETRY_SECONDS, lambda: self._submit(following))
        else:
            self._settle(callback, "given_up")

    def _post(self, callback: Callback) -> str:
        """Return how the call failed (``ct``, ``rt``, ``4xx``, ``5xx``); empty for a success."""
        body = urlencode(callback.fields).encode()
        try:
            answer = self._http.request(
                "POST",
                callback.address,
                body=body,
                headers=self._headers(callback),
                timeout=urllib3.Timeout(connect=5, total=self._options.webhook_timeout_seconds),
                redirect=False,
            )
        except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
            return "ct"
        except urllib3.exceptions.HTTPError:
            return "rt"
        if 200 <= answer.status < 300:
            return ""
        return "5xx" if answer.status >= 500 else "4xx"

    def _headers(self, callback: Callback) -> dict[str, str]:
        headers = {
            "Content-Type": _FORM,
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": callback.token,
        }
        if callback.signature == "missing":
            return headers
        token = self._auth_token if callback.signature == "good" else secrets.token_hex(16)
        url = callback.url if self._options.sign_fragment else callback.address
        fields = {name: [value] for name, value in callback.fields.items()}
        return headers | {"X-Twilio-Signature": compute(token, url, fields)}

    def _settle(self, callback: Callback, outcome: str) -> None:
        self._count(outcome)
        callback.settled.set()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1
