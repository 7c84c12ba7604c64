"""Churches with webhooks, events in their log, and a dispatcher that a test drives step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints
from koinonia.webhooks.addresses import Reach
from koinonia.webhooks.claim import claim, gather
from koinonia.webhooks.dispatcher import Dispatcher
from koinonia.webhooks.posting import Poster
from koinonia.webhooks.turn import Turn
from realtime import log
from realtime.log import NewEvent
from tests.support.waiting import wait_until

TYPES = ("message.received", "message.status")


def webhook(
    church: Church, url: str, types: Sequence[str] = TYPES, name: str = "Website"
) -> WebhookEndpoint:
    return endpoints.add(church, None, name=name, url=url, types=types, now=timezone.now())


def happen(church: Church, *numbers: int, kind: str = "message.received") -> None:
    """Append an event for each number to the log of the church, in one transaction."""
    events = [NewEvent(kind, {"number": number}) for number in numbers]
    with transaction.atomic():
        log.append({f"church:{church.slug}": events}, now=timezone.now())


def deliveries(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("pk"))


def make_due(endpoint: WebhookEndpoint, at: datetime | None = None) -> None:
    """End every pause of the endpoint."""
    now = at or timezone.now()
    WebhookCursor.objects.filter(pk=endpoint.pk).update(next_at=None)
    WebhookDelivery.objects.filter(endpoint=endpoint, state="waiting").update(next_at=now)


def posted_turn(poster: Poster) -> Turn:
    """Claim an endpoint and post its events, without writing the results."""
    now = timezone.now()
    (claimed,) = claim(now, 1)
    turn = gather(claimed, now)
    turn.begin(1)
    assert turn.run_lane(poster, lambda: False)
    return turn


class Sender:
    """The process that sends webhooks, in this thread."""

    def __init__(self, *, total_seconds: float = 5.0) -> None:
        self._is_stopped = False
        self.poster = Poster(Reach.LOOPBACK, total_seconds=total_seconds)
        self.dispatcher = Dispatcher(self.poster, lambda: self._is_stopped, lambda: None)

    def until(self, condition: Callable[[], Any]) -> None:
        """Send until the condition holds."""

        def step() -> Any:
            self.dispatcher.step()
            return condition()

        wait_until(step, pause=0)

    def idle(self) -> None:
        """Send until nothing is due and no turn is open."""
        self.until(lambda: not (self.dispatcher.is_busy or self._anything_due()))

    def stop(self) -> None:
        self._is_stopped = True
        self.dispatcher.run()
        self.poster.close()

    @staticmethod
    def _anything_due() -> bool:
        from koinonia.webhooks.claim import due_cursors

        return due_cursors(timezone.now()).exists()
