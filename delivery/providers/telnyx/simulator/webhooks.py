"""Webhooks: each attempt has a new signature; up to three attempts per URL, then the next URL."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from delivery.providers.simulator import webhooks
from delivery.providers.simulator.timers import Timers
from delivery.providers.telnyx.simulator.messages import timestamp
from delivery.providers.telnyx.simulator.options import Keys, Options

ATTEMPTS_PER_URL = 3
_STALE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Webhook(webhooks.Webhook):
    """An event that is being delivered to the first of ``urls``."""

    data: bytes
    """The JSON of ``data``; ``meta`` is added at each attempt."""
    urls: tuple[str, ...]

    @property
    def address(self) -> str:
        return self.urls[0] if self.urls else ""

    def body(self) -> bytes:
        meta = json.dumps({"attempt": self.attempt, "delivered_to": self.address}).encode()
        return b'{"data":' + self.data + b',"meta":' + meta + b"}"

    def next(self) -> Webhook | None:
        """Return the attempt after this failed one; None after the last."""
        if self.attempt < ATTEMPTS_PER_URL:
            return replace(self, attempt=self.attempt + 1)
        return replace(self, attempt=1, urls=self.urls[1:]) if len(self.urls) > 1 else None


def event(event_type: str, payload: dict[str, Any], **unknown: Any) -> bytes:
    """Return the JSON of an event's ``data``, with a new id."""
    data = {
        "event_type": event_type,
        "id": str(uuid.uuid4()),
        "occurred_at": timestamp(),
        "record_type": "event",
        "payload": payload,
        **unknown,
    }
    return json.dumps(data).encode()


class Webhooks(webhooks.Webhooks[Webhook]):
    def __init__(self, keys: Keys, options: Options, timers: Timers) -> None:
        super().__init__(options, timers)
        self._keys, self._options = keys, options
        self._forger = Keys()

    def headers(self, webhook: Webhook, body: bytes) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "telnyx-webhooks"}
        if webhook.signature == "missing":
            return headers
        at = str(int(time.time()) - (_STALE_SECONDS if webhook.signature == "stale" else 0))
        keys = self._forger if webhook.signature == "bad" else self._keys
        signed = {"telnyx-timestamp": at, "telnyx-signature-ed25519": keys.sign(at, body)}
        return headers | signed

    def following(
        self, webhook: Webhook, failure: webhooks.Failure
    ) -> tuple[float, Webhook] | None:
        following = webhook.next()
        seconds = self._options.webhook_retry_seconds * 2 ** (webhook.attempt - 1)
        return None if following is None else (seconds, following)
