"""Webhooks of a simulated provider: threads that post them, repeats after a failure, and counts."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, Protocol, TypeVar

import urllib3

from delivery.providers.simulator.timers import Timers

_LONGEST_WAIT_SECONDS = 10
"""The longest wait for webhooks that must arrive before something else happens."""
_TICK = 0.01


class Failure(Enum):
    """The reason why an attempt failed."""

    NO_CONNECTION = "no connection"
    NO_ANSWER = "connected, but no answer in time"
    CLIENT_ERROR = "an answer below 500 that is not 2xx"
    SERVER_ERROR = "an answer of 500 or more"


@dataclass(frozen=True, kw_only=True)
class Webhook(ABC):
    """A webhook on its way. A provider's class adds the content and the URL."""

    signature: str = "good"
    """``good``, ``bad``, ``missing``, or another kind of the provider."""
    attempt: int = 1
    generation: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when the webhook was delivered or abandoned."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Return the URL of this attempt; empty if there is none."""

    @abstractmethod
    def body(self) -> bytes:
        """Return the body of this attempt."""


W = TypeVar("W", bound=Webhook)


class DeliveryOptions(Protocol):
    """The options that the delivery of webhooks reads, at each attempt."""

    webhooks: bool
    webhook_timeout_seconds: float


class Webhooks(ABC, Generic[W]):
    """Delivers webhooks from a pool of threads with kept connections.

    A subclass signs an attempt (``headers``) and plans the attempt after a failed one (``following``).
    """

    connect_seconds: float | None = None
    """The limit for connecting; None: ``webhook_timeout_seconds`` is the only limit."""

    def __init__(self, options: DeliveryOptions, timers: Timers, threads: int = 16) -> None:
        self._delivery, self._timers = options, timers
        self._http = urllib3.PoolManager(maxsize=threads, retries=False)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="simulator-webhooks")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._generation = 0

    @abstractmethod
    def headers(self, webhook: W, body: bytes) -> Mapping[str, str]:
        """Return the headers of an attempt, with its signature."""

    @abstractmethod
    def following(self, webhook: W, failure: Failure) -> tuple[float, W] | None:
        """Return the next attempt and the seconds until then; None after the last attempt."""

    def send(self, webhook: W) -> W:
        """Queue a webhook and return; ``settled`` is set when it is finished."""
        webhook = replace(webhook, generation=self._generation)
        self._count("events")
        if not self._delivery.webhooks or not webhook.address:
            self._settle(webhook, "lost")
        else:
            self._submit(webhook)
        return webhook

    def send_copies(self, webhook: W, copies: int, delay: float = 0) -> list[W]:
        """Send ``copies`` of a webhook; after a ``delay``, return without them."""
        if delay:
            self._timers.after(delay, lambda: self.send_copies(webhook, copies))
            return []
        return [self.send(webhook) for _ in range(copies)]

    def wait_for(self, sent: Iterable[W]) -> None:
        """Wait until ``sent`` are settled."""
        for webhook in sent:
            webhook.settled.wait(_LONGEST_WAIT_SECONDS)

    def once_settled(self, sent: list[W], job: Callable[[], object]) -> None:
        """Run ``job`` later, when ``sent`` are settled."""
        self._check_settled(sent, job, time.monotonic() + _LONGEST_WAIT_SECONDS)

    def counts(self) -> dict[str, int]:
        with self._lock:
            names = ("events", "attempts", "delivered", "given_up", "lost")
            return {name: self._counts[name] for name in names}

    def clear(self) -> None:
        """Drop all webhooks in flight."""
        with self._lock:
            self._generation += 1
            self._counts.clear()

    def stop(self) -> None:
        self.clear()
        self._threads.shutdown(cancel_futures=True)
        self._http.clear()

    def _check_settled(self, sent: list[W], job: Callable[[], object], deadline: float) -> None:
        if all(webhook.settled.is_set() for webhook in sent) or time.monotonic() > deadline:
            job()
            return
        self._timers.after(_TICK, lambda: self._check_settled(sent, job, deadline))

    def _submit(self, webhook: W) -> None:
        if webhook.generation != self._generation:
            return
        try:
            self._threads.submit(self._attempt, webhook)
        except RuntimeError:
            return  # stopped in the meantime: no caller waits for it

    def _attempt(self, webhook: W) -> None:
        if webhook.generation != self._generation:
            return
        failure = self._post(webhook)
        if webhook.generation != self._generation:
            return
        self._count("attempts")
        if failure is None:
            self._settle(webhook, "delivered")
            return
        following = self.following(webhook, failure)
        if following is None:
            self._settle(webhook, "given_up")
            return
        seconds, repeat = following
        self._timers.after(seconds, lambda: self._submit(repeat))

    def _post(self, webhook: W) -> Failure | None:
        body = webhook.body()
        limit = urllib3.Timeout(
            connect=self.connect_seconds, total=self._delivery.webhook_timeout_seconds
        )
        try:
            answer = self._http.request(
                "POST",
                webhook.address,
                body=body,
                headers=self.headers(webhook, body),
                timeout=limit,
                redirect=False,
            )
        except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
            return Failure.NO_CONNECTION
        except urllib3.exceptions.HTTPError:
            return Failure.NO_ANSWER
        if 200 <= answer.status < 300:
            return None
        return Failure.SERVER_ERROR if answer.status >= 500 else Failure.CLIENT_ERROR

    def _settle(self, webhook: W, outcome: str) -> None:
        self._count(outcome)
        webhook.settled.set()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1
