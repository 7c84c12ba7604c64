"""A turn of an endpoint has the deliveries of one claim and their results."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from koinonia.models import WebhookDelivery, WebhookEndpoint
from koinonia.webhooks.posting import NoAnswerError, Poster
from koinonia.webhooks.signing import sign

BUDGET_SECONDS = 5.0
"""A turn begins no post after this time, because a slow receiver occupies its threads."""
STOPS_AFTER = 3
"""After so many failures in a row, the turn ends."""
STATUS = "status"
"""The error of an answer that is not 2xx."""
USER_AGENT = "Koinonia-Webhooks/1"


@dataclass
class Item:
    """A delivery with its body. ``tried_at`` is None until it was posted."""

    delivery: WebhookDelivery
    body: bytes
    known_since: datetime | None = None
    """``trying_since`` of the row at the claim: another value later is an order of a person. None: no row."""
    moves_cursor: bool = False
    """The event is one after the cursor, which stays before it until it was posted."""
    status: int | None = None
    error: str = ""
    excerpt: str = ""
    seconds: float = 0.0
    tried_at: datetime | None = None

    @property
    def is_new(self) -> bool:
        """Return whether the delivery has no row yet."""
        return self.delivery._state.adding

    @property
    def succeeded(self) -> bool:
        return self.tried_at is not None and not self.error


@dataclass
class Turn:
    """The items in their order. ``lanes`` threads post at the same time."""

    endpoint: WebhookEndpoint
    church: str
    token: str
    epoch: str
    last: int
    """The number of the cursor once every item was posted."""
    secrets: list[str]
    items: list[Item] = field(default_factory=list)
    lost: list[WebhookDelivery] = field(default_factory=list)
    """Deliveries with an event that the log has deleted."""
    lanes: int = 1
    took: float = 0.0
    _left: deque[Item] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_lost: bool = False
    _open_lanes: int = 0
    _failures: int = 0

    def begin(self, lanes: int) -> None:
        self.lanes = self._open_lanes = max(1, min(lanes, len(self.items)))
        self._left.extend(self.items)
        self.took = time.monotonic()

    def give_up(self) -> None:
        """Begin no further post: the claim is lost, or the owner has switched the webhook off."""
        self._is_lost = True

    def run_lane(self, poster: Poster, stopped: Callable[[], bool]) -> bool:
        """Post until no item is left. The last lane that ends returns True."""
        until = self.took + BUDGET_SECONDS
        while not (stopped() or self._ends(until)):
            try:
                item = self._left.popleft()
            except IndexError:
                break
            self._post(poster, item)
        with self._lock:
            self._open_lanes -= 1
            if self._open_lanes:
                return False
            self.took = time.monotonic() - self.took
            return True

    def position(self) -> tuple[str, int]:
        """Return the epoch and the number of the last event without a gap before it."""
        for item in self.items:
            if item.moves_cursor and item.tried_at is None and item.delivery.seq is not None:
                return self.epoch, item.delivery.seq - 1
        return self.epoch, self.last

    def _ends(self, until: float) -> bool:
        return self._is_lost or time.monotonic() >= until or self._failures >= STOPS_AFTER

    def _post(self, poster: Poster, item: Item) -> None:
        now = timezone.now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **sign(self.secrets, item.delivery.event_id, now, item.body),
        }
        try:
            answer = poster.post(self.endpoint.url, item.body, headers)
        except NoAnswerError as error:
            item.error, item.seconds = error.code, error.seconds
        else:
            item.status, item.seconds = answer.status, answer.seconds
            if not 200 <= answer.status < 300:
                item.error, item.excerpt = STATUS, answer.excerpt
        item.tried_at = now
        # A lost update of the count costs one post.
        self._failures = self._failures + 1 if item.error else 0
