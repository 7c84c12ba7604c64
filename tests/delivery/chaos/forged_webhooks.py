"""A flood of webhooks; most are forged."""

from __future__ import annotations

import json
import random
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from delivery.providers.telnyx.simulator.options import Keys

STALE_SECONDS = 900
_TIMEOUT_SECONDS = 30
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Post:
    """A request to make: its kind, its body, and where the real body differs from the declared one."""

    kind: str
    mark: str
    body: bytes
    headers: dict[str, str]
    sent: int | None = None
    """The number of bytes to send before the connection is closed; None: the whole body."""

    def make(self, url: str) -> int:
        """Return the status of the answer; 0 without an answer."""
        if self.sent is not None:
            return self._break_off(url)
        return requests.post(
            url, data=self.body, headers=self.headers, timeout=_TIMEOUT_SECONDS
        ).status_code

    def _break_off(self, url: str) -> int:
        parts = urlsplit(url)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
            connection.sendall("\r\n".join(lines).encode() + self.body[: self.sent])
        return _NO_ANSWER


def reply(mark: str, sender: str, to: str) -> bytes:
    """Return the event of an inbound message; its text and its ids contain ``mark``."""
    payload = {
        "id": f"{mark}-text", "direction": "inbound", "record_type": "message", "text": mark,
        "from": {"phone_number": sender}, "to": [{"phone_number": to}], "media": [],
    }  # fmt: skip
    data = {
        "event_type": "message.received", "id": f"{mark}-event", "record_type": "event",
        "occurred_at": "2026-11-22T14:03:07.412+00:00", "payload": payload,
    }  # fmt: skip
    return json.dumps({"data": data, "meta": {"attempt": 1}}).encode()


class Mint:
    """Makes posts of each kind, marked with ``mark``; ``keys`` are the provider's keys."""

    def __init__(self, keys: Keys, *, to: str) -> None:
        self._keys, self._to = keys, to
        self.mark = f"storm-{uuid.uuid4().hex[:8]}"

    def good(self, number: int) -> Post:
        mark, body = self._reply(number)
        return Post("good", mark, body, self._signed(body))

    def bad(self, number: int) -> list[Post]:
        """Return a post of each kind that must be refused."""
        kinds: dict[str, Callable[[bytes], Post]] = {
            "forged": lambda body: self._post(body, self._signed(body, keys=Keys())),
            "unsigned": lambda body: self._post(body, {}),
            "tampered with": lambda body: self._post(body, self._signed(body + b" ")),
            "stale": lambda body: self._post(body, self._signed(body, at=-STALE_SECONDS)),
            "from the future": lambda body: self._post(body, self._signed(body, at=STALE_SECONDS)),
            "truncated": lambda body: self._whole(body[:-20]),
            "not JSON": lambda body: self._whole(b"<html>" + body),
            "a list": lambda body: self._whole(b"[" + body + b"]"),
            "nested without end": lambda body: self._whole(b"[" * 50_000 + body),
            "huge": lambda body: self._whole(body + b" " * 300_000),
            "broken off": lambda body: self._broken_off(body),
            "huge and broken off": lambda body: self._broken_off(body + b" " * 30_000_000),
        }
        made = []
        for kind, make in kinds.items():
            mark, body = self._reply(number)
            post = make(body)
            made.append(Post(kind, mark, post.body, post.headers, post.sent))
        return made

    def _reply(self, number: int) -> tuple[str, bytes]:
        mark = f"{self.mark}-{uuid.uuid4().hex[:12]}"
        return mark, reply(mark, f"+1773556{number:04}", self._to)

    def _signed(self, body: bytes, *, keys: Keys | None = None, at: int = 0) -> dict[str, str]:
        moment = str(int(time.time()) + at)
        signature = (keys or self._keys).sign(moment, body)
        return {"telnyx-timestamp": moment, "telnyx-signature-ed25519": signature}

    def _post(self, body: bytes, headers: dict[str, str], sent: int | None = None) -> Post:
        return Post("", "", body, {"Content-Type": "application/json", **headers}, sent)

    def _whole(self, body: bytes) -> Post:
        return self._post(body, self._signed(body))

    def _broken_off(self, body: bytes) -> Post:
        return self._post(body, self._signed(body), sent=min(len(body), 400) - 50)


def storm(mint: Mint, url: str, rounds: int) -> tuple[list[str], dict[str, set[int]]]:
    """Post all kinds at the same time, each genuine one twice.

    Return the marks of the genuine ones, and the answers to each kind.
    """
    good = [mint.good(number) for number in range(4 * rounds)]
    bad = [post for number in range(rounds) for post in mint.bad(number)]
    posts = good + good + bad
    random.Random(1).shuffle(posts)
    answers: dict[str, set[int]] = {}
    with ThreadPoolExecutor(16) as pool:
        for post, status in zip(posts, pool.map(lambda post: post.make(url), posts), strict=True):
            answers.setdefault(post.kind, set()).add(status)
    return [post.mark for post in good], answers
