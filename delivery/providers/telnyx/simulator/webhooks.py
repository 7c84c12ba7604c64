"""Webhooks: each attempt has a new signature; up to three attempts per URL, then the next URL."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import urllib3

from delivery.providers.simulator.timers import Timers
from delivery.providers.telnyx.simulator.keys import Keys
from delivery.providers.telnyx.simulator.options import Options
from delivery.providers.telnyx.simulator.times import timestamp

ATTEMPTS_PER_URL = 3
_STALE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An event that is being delivered to the first of ``urls``."""

    data: bytes
    """The JSON of ``data``; ``meta`` is added at each attempt."""
    urls: tuple[str, ...]
    signature: str = "good"
    attempt: int = 1
    generation: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when the event was delivered or abandoned."""

    def body(self) -> bytes:
        meta = json.dumps({"attempt": self.attempt, "delivered_to": self.urls[0]}).encode()
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


class Webhooks:
    """Delivers webhooks from a pool of threads with kept connections."""

    def __init__(self, keys: Keys, options: Options, timers: Timers, threads: int = 16) -> None:
        self._keys, self._options, self._timers = keys, options, timers
        self._forger = Keys()
        self._http = urllib3.PoolManager(maxsize=threads, retries=False)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="simulator-webhooks")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._generation = 0

    def send(self, webhook: Webhook) -> Webhook:
        """Queue an event and return; ``settled`` is set when it is finished."""
        webhook = replace(webhook, generation=self._generation)
        self._count("events")
        if not self._options.webhooks or not webhook.urls:
            self._count("lost")
            webhook.settled.set()
        else:
            self._submit(webhook)
        return webhook

    def counts(self) -> dict[str, int]:
        with self._lock:
            names = ("events", "attempts", "delivered", "given_up", "lost")
            return {name: self._counts[name] for name in names}

    def clear(self) -> None:
        """Drop all events in flight."""
        with self._lock:
            self._generation += 1
            self._counts.clear()

    def stop(self) -> None:
        self.clear()
        self._threads.shutdown(cancel_futures=True)
        self._http.clear()

    def _submit(self, webhook: Webhook) -> None:
        if webhook.generation != self._generation:
            return
        try:
            self._threads.submit(self._attempt, webhook)
        except RuntimeError:
            return  # stopped in the meantime: no caller waits for it

    def _attempt(self, webhook: Webhook) -> None:
        if webhook.generation != self._generation:
            return
        delivered = self._post(webhook)
        if webhook.generation != self._generation:
            return
        self._count("attempts")
        if delivered:
            self._settle(webhook, "delivered")
            return
        following = webhook.next()
        if following is None:
            self._settle(webhook, "given_up")
            return
        wait = self._options.webhook_retry_seconds * 2 ** (webhook.attempt - 1)
        self._timers.after(wait, lambda: self._submit(following))

    def _post(self, webhook: Webhook) -> bool:
        body = webhook.body()
        try:
            answer = self._http.request(
                "POST",
                webhook.urls[0],
                body=body,
                headers=self._headers(webhook.signature, body),
                timeout=urllib3.Timeout(total=self._options.webhook_timeout_seconds),
                redirect=False,
            )
        except urllib3.exceptions.HTTPError:
            return False
        return 200 <= answer.status < 300

    def _headers(self, signature: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "telnyx-webhooks"}
        if signature == "missing":
            return headers
        at = str(int(time.time()) - (_STALE_SECONDS if signature == "stale" else 0))
        keys = self._forger if signature == "bad" else self._keys
        signed = {"telnyx-timestamp": at, "telnyx-signature-ed25519": keys.sign(at, body)}
        return headers | signed

    def _settle(self, webhook: Webhook, outcome: str) -> None:
        self._count(outcome)
        webhook.settled.set()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1
