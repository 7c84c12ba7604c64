"""Claims the endpoints that are due, and gathers the deliveries of a turn.

Several workers claim at the same time. A claim is a guarded update of the cursor. Its token stops a late
result of a worker with an expired lease.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from koinonia.models import WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import log, payloads
from koinonia.webhooks.event_types import RESET
from koinonia.webhooks.turn import Item, Turn
from realtime.log_reader import Head
from realtime.models import Stream

LEASE = timedelta(seconds=90)
"""Longer than a turn: its budget, then a last post with a slow look-up of the name."""
BATCH = 250
"""The most deliveries of a turn."""
MOST_WAITING = 100
"""An endpoint with so many deliveries that wait for another attempt gets no new events."""
GATED_AFTER = 3
"""After so many failures in a row, an endpoint gets one delivery at a time."""

_Waiting = WebhookDelivery.State.WAITING


@dataclass(frozen=True, slots=True)
class Claimed:
    cursor: WebhookCursor
    token: str

    @property
    def is_gated(self) -> bool:
        return self.cursor.failures >= GATED_AFTER


def claim(
    now: datetime, most: int, *, without: Collection[int] = (), gated: bool = True
) -> list[Claimed]:
    """Claim at most ``most`` endpoints, the longest unserved first.

    ``without`` names endpoints to leave out; without ``gated``, failing endpoints are left out too.
    """
    due = due_cursors(now).exclude(pk__in=without)
    if not gated:
        due = due.filter(failures__lt=GATED_AFTER)
    rows = due.select_related("endpoint__church").order_by(F("served_at").asc(nulls_first=True))
    claimed = []
    for cursor in rows[:most]:
        token = secrets.token_hex(8)
        free = WebhookCursor.objects.filter(_is_free(now), pk=cursor.pk, endpoint__off="")
        if free.update(lease_token=token, lease_until=now + LEASE, served_at=now):
            # Read the position again: another worker may have written it since.
            cursor.refresh_from_db(fields=["epoch", "seq", "failures", "failing_since"])
            claimed.append(Claimed(cursor, token))
    return claimed


def due_cursors(now: datetime) -> QuerySet[WebhookCursor]:
    """Return the cursors of endpoints that are on, free, and have something to send."""
    stream = Stream.objects.filter(key=Concat(Value("church:"), OuterRef("endpoint__church__slug")))
    again = WebhookDelivery.objects.filter(
        endpoint=OuterRef("pk"), state=_Waiting, next_at__lte=now
    )
    return (
        WebhookCursor.objects.filter(_is_free(now), endpoint__off="")
        .filter(Q(next_at=None) | Q(next_at__lte=now))
        .alias(head=Subquery(stream.values("last_seq")), present=Subquery(stream.values("epoch")))
        .filter(Q(head__gt=F("seq")) | ~Q(present=F("epoch")) | Exists(again))
    )


def gather(claimed: Claimed, now: datetime) -> Turn:
    """Return the turn of a claimed endpoint: repeats first, then new events."""
    cursor, endpoint = claimed.cursor, claimed.cursor.endpoint
    head = log.head_of(endpoint.church.slug)
    turn = Turn(
        endpoint, endpoint.church.slug, claimed.token, before=(cursor.epoch, cursor.seq),
        epoch=cursor.epoch, last=cursor.seq, secrets=endpoint.secrets(now),
    )  # fmt: skip
    _add_repeats(turn, head, _waiting(endpoint, now, claimed.is_gated))
    room = (1 if claimed.is_gated else BATCH) - len(turn.items)
    if room > 0 and not _is_full(endpoint):
        _add_new(turn, head, room, now)
    return turn


def _is_free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _waiting(endpoint: WebhookEndpoint, now: datetime, is_gated: bool) -> list[WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state=_Waiting)
    if is_gated:
        # The endpoint has its own pause. A delivery that a person ordered comes first.
        return list(rows.order_by("-trying_since", "-pk")[:1])
    return list(rows.filter(next_at__lte=now).order_by("next_at", "pk")[:BATCH])


def _is_full(endpoint: WebhookEndpoint) -> bool:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state=_Waiting)
    return len(rows.values_list("pk", flat=True)[:MOST_WAITING]) == MOST_WAITING


def _add_repeats(turn: Turn, head: Head, waiting: list[WebhookDelivery]) -> None:
    held = log.bodies(head, [one.seq for one in waiting if one.seq is not None])
    for delivery in waiting:
        if delivery.seq is None:
            turn.items.append(Item(delivery, own_body(delivery, turn.church)))
        elif (body := held.get(delivery.seq)) is not None:
            payload = payloads.of_log(delivery.event_id, turn.church, body)
            turn.items.append(Item(delivery, payload))
        else:
            turn.lost.append(delivery)


def _add_new(turn: Turn, head: Head, room: int, now: datetime) -> None:
    epoch, after = turn.before
    if epoch != head.epoch or not head.first - 1 <= after <= head.last:
        # The log does not continue here: tell the receiver that events are missing.
        reason = "restored" if epoch != head.epoch else "pruned"
        after = min(max(after, head.first - 1), head.last)
        turn.items.append(_reset(turn, head, after, reason, now))
        room -= 1
    turn.epoch, turn.last = head.epoch, after
    found = log.read(head, after, turn.endpoint.types, room)
    if found is None:
        # The log was pruned between two statements: the next turn sees it.
        return
    turn.last = found.last
    for seq, kind, body in found.events:
        key = payloads.event_id(turn.church, head.epoch, seq)
        delivery = _new(turn, key, kind, now, seq=seq)
        turn.items.append(Item(delivery, payloads.of_log(key, turn.church, body)))


def _reset(turn: Turn, head: Head, after: int, reason: str, now: datetime) -> Item:
    key = f"reset_{turn.church}_{head.epoch}_{after}"
    data = {"epoch": head.epoch, "after": after, "reason": reason}
    delivery = _new(turn, key, RESET, now, data=data)
    return Item(delivery, own_body(delivery, turn.church))


def own_body(delivery: WebhookDelivery, church: str) -> bytes:
    """Return the payload of a delivery that the log does not hold."""
    at, data = delivery.created_at, delivery.data or {}
    return payloads.of_its_own(delivery.event_id, church, delivery.type, at, data)


def _new(turn: Turn, key: str, kind: str, now: datetime, **fields: Any) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint=turn.endpoint, event_id=key, type=kind, created_at=now, trying_since=now, **fields
    )
