"""How far the outgoing webhooks of all churches are behind: for metrics, alerts and the support desk.

The statements read one row per webhook and the deliveries that wait. Their cost grows with the webhooks, and
not with texts or events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Greatest

from koinonia.models import WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks.claim import GATED_AFTER
from realtime.models import Event, Stream

MOST_WEBHOOKS = 2_000
"""Webhooks with events in the log to send; more are not looked at."""
MOST_DELIVERIES = 10_000
"""Deliveries that wait for another attempt; more are not counted."""
_Off = WebhookEndpoint.Off


@dataclass(frozen=True, slots=True)
class Lag:
    working: int
    failing: int
    """Active webhooks whose receivers have refused all recent events."""
    off: dict[str, int]
    """Webhooks that are off, by reason."""
    waiting: int
    """Events that wait: in the log, of any type, or for another attempt."""
    is_complete: bool
    """False: a bound was met, and more events wait."""
    oldest: datetime | None
    """The time of the oldest event that waits, also for a receiver that fails."""
    late_since: datetime | None
    """Since when a worker could send something and does not; None while nothing is late."""

    @property
    def disabled(self) -> int:
        """Return how many webhooks were switched off because of their receivers."""
        return self.off[_Off.FAILING.value] + self.off[_Off.GONE.value]


def lag(now: datetime) -> Lag:
    """Return the lag of all webhooks. Three queries."""
    off, failing, working = _webhooks()
    behind = list(_behind()[: MOST_WEBHOOKS + 1])
    repeats = _repeats(now)
    in_log = sum(max(1, head - seq) for head, seq, *_ in behind)
    return Lag(
        working=working, failing=failing, off=off,
        waiting=in_log + min(repeats["number"], MOST_DELIVERIES),
        is_complete=len(behind) <= MOST_WEBHOOKS and repeats["number"] <= MOST_DELIVERIES,
        oldest=_earliest([repeats["oldest"], *(at for _, _, at, _, _ in behind)]),
        late_since=_earliest([repeats["late"], *(_late(row, now) for row in behind)]),
    )  # fmt: skip


def _webhooks() -> tuple[dict[str, int], int, int]:
    """Return the numbers of webhooks: off by reason, failing, working."""
    fails = Count("pk", filter=Q(cursor__failures__gte=GATED_AFTER))
    rows = (
        WebhookEndpoint.objects.order_by().values("off").annotate(number=Count("pk"), fails=fails)
    )
    found = {row["off"]: (row["number"], row["fails"]) for row in rows}
    on, failing = found.get(_Off.NOT.value, (0, 0))
    reasons = [one.value for one in _Off if one != _Off.NOT]
    return {one: found.get(one, (0, 0))[0] for one in reasons}, failing, on - failing


def _behind() -> QuerySet[WebhookCursor, Any]:
    """Return, for each webhook with events in the log to send: head, position, their time, its times."""
    stream = Stream.objects.filter(key=Concat(Value("church:"), OuterRef("endpoint__church__slug")))
    following = Event.objects.filter(
        stream_id=OuterRef("stream"), seq=Greatest(OuterRef("seq") + 1, OuterRef("first"))
    )
    rows = (
        WebhookCursor.objects.filter(endpoint__off=_Off.NOT)
        .annotate(
            stream=Subquery(stream.values("pk")),
            head=Subquery(stream.values("last_seq")),
            first=Subquery(stream.values("first_seq")),
            epoch_now=Subquery(stream.values("epoch")),
        )
        .filter(Q(head__gt=F("seq")) | ~Q(epoch_now=F("epoch")))
        .annotate(at=Subquery(following.values("at")), could=_could_be_claimed())
    )
    return rows.order_by("pk").values_list("head", "seq", "at", "could", "lease_until")


def _repeats(now: datetime) -> dict[str, Any]:
    """Return number, oldest and lateness of the deliveries that wait for another attempt."""
    claimable = _could_be_claimed("endpoint__cursor__")
    rows = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.WAITING, endpoint__off=_Off.NOT
    ).annotate(
        sendable=Greatest("next_at", claimable),
        lease=F("endpoint__cursor__lease_until"),
    )
    is_free = Q(lease=None) | Q(lease__lt=now)
    return (
        rows.order_by()[: MOST_DELIVERIES + 1]
        .values("pk", "created_at", "sendable", "lease")
        .aggregate(
            number=Count("pk"),
            oldest=Min("created_at"),
            late=Min("sendable", filter=Q(sendable__lte=now) & is_free),
        )
    )


def _could_be_claimed(path: str = "") -> Any:
    """Return the time from which a worker could have claimed the webhook: after its pause and its last turn."""
    made = "endpoint__created_at"
    return Greatest(Coalesce(f"{path}next_at", made), Coalesce(f"{path}served_at", made))


def _late(row: tuple[Any, ...], now: datetime) -> datetime | None:
    """Return since when a worker could send the events of a webhook; None if one does, or if it pauses."""
    _, _, at, could, lease_until = row
    if at is None or (lease_until is not None and lease_until >= now):
        return None
    since: datetime = max(at, could)
    return since if since <= now else None


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in times if one is not None), default=None)
