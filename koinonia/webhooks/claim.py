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

_PRUNED, _RESTORED = "pruned", "restored"
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
    keys = due.order_by(F("served_at").asc(nulls_first=True)).values_list("pk", flat=True)
    found = [_claim_one(key, now) for key in keys[:most]]
    return [claimed for claimed in found if claimed is not None]


def _claim_one(key: int, now: datetime) -> Claimed | None:
    """Claim an endpoint; return None if another worker or its owner was faster."""
    token = secrets.token_hex(8)
    # Ask for the pause again: another worker may have served the endpoint since.
    free = WebhookCursor.objects.filter(_is_free(now), _has_no_pause(now), pk=key)
    # During a turn, the end of the pause is that of the lease. An owner who wants an answer now clears it.
    if not free.update(
        lease_token=token, lease_until=now + LEASE, next_at=now + LEASE, served_at=now
    ):
        return None
    # Read all again, after the claim: position, address and secrets may be new, or the webhook gone.
    mine = WebhookCursor.objects.filter(pk=key, lease_token=token)
    cursor = mine.select_related("endpoint__church").first()
    if cursor is None:
        return None
    if not cursor.endpoint.enabled:
        mine.update(lease_token="", lease_until=None)
        return None
    return Claimed(cursor, token)


def due_cursors(now: datetime) -> QuerySet[WebhookCursor]:
    """Return the cursors of endpoints that are on, free, and have something to send."""
    stream = Stream.objects.filter(key=Concat(Value("church:"), OuterRef("endpoint__church__slug")))
    again = WebhookDelivery.objects.filter(
        endpoint=OuterRef("pk"), state=_Waiting, next_at__lte=now
    )
    return (
        WebhookCursor.objects.filter(_is_free(now), _has_no_pause(now), endpoint__off="")
        .alias(head=Subquery(stream.values("last_seq")), present=Subquery(stream.values("epoch")))
        .filter(Q(head__gt=F("seq")) | ~Q(present=F("epoch")) | Exists(again))
    )


def gather(claimed: Claimed, now: datetime) -> Turn:
    """Return the turn of a claimed endpoint: repeats first, then new events."""
    cursor, endpoint = claimed.cursor, claimed.cursor.endpoint
    head = log.head_of(endpoint.church.slug)
    turn = Turn(
        endpoint, endpoint.church.slug, claimed.token, epoch=cursor.epoch, last=cursor.seq,
        secrets=endpoint.secrets(now),
    )  # fmt: skip
    _add_repeats(turn, head, _waiting(endpoint, now, claimed.is_gated))
    if turn.lost:
        first = min(delivery.seq or 0 for delivery in turn.lost)
        _tell_gap(turn, head, (first, head.first - 1), _PRUNED, now)
    room = (1 if claimed.is_gated else BATCH) - len(turn.items)
    if room > 0 and not _is_full(endpoint):
        _add_new(turn, head, room, now)
    return turn


def _is_free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _has_no_pause(now: datetime) -> Q:
    return Q(next_at=None) | Q(next_at__lte=now)


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
            turn.items.append(_own(delivery, turn.church))
        elif (body := held.get(delivery.seq)) is not None:
            payload = payloads.of_log(delivery.event_id, turn.church, body)
            turn.items.append(Item(delivery, payload, known_since=delivery.trying_since))
        else:
            turn.lost.append(delivery)


def _add_new(turn: Turn, head: Head, room: int, now: datetime) -> None:
    epoch, after = turn.epoch, turn.last
    if epoch != head.epoch or not head.first - 1 <= after <= head.last:
        # The log does not continue here: tell the receiver that events are missing.
        reason = _RESTORED if epoch != head.epoch else _PRUNED
        first, after = after + 1, min(max(after, head.first - 1), head.last)
        room -= _tell_gap(turn, head, (first, after), reason, now)
    turn.epoch, turn.last = head.epoch, after
    found = log.read(head, after, turn.endpoint.types, room)
    if found is None:
        # The log was pruned between two statements: the next turn sees it.
        return
    turn.last = found.last
    keys = [payloads.event_id(turn.church, head.epoch, seq) for seq, _, _ in found.events]
    known, open_ = _known(turn.endpoint, keys), {item.delivery.event_id for item in turn.items}
    for key, (seq, kind, body) in zip(keys, found.events, strict=True):
        if key in open_:
            continue
        # An owner has ordered events again that have a delivery already.
        delivery = known.get(key) or _new(turn, key, kind, now, seq=seq)
        since = None if delivery._state.adding else delivery.trying_since
        delivery.trying_since = now
        payload = payloads.of_log(key, turn.church, body)
        turn.items.append(Item(delivery, payload, known_since=since, moves_cursor=True))


def _known(endpoint: WebhookEndpoint, keys: Collection[str]) -> dict[str, WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, event_id__in=keys)
    return {delivery.event_id: delivery for delivery in rows}


def _tell_gap(turn: Turn, head: Head, missing: tuple[int, int], reason: str, now: datetime) -> int:
    """Add the event that tells of missing events, first of all. Return how many were added: 1 or 0."""
    first, last = missing
    key = f"reset_{turn.church}_{head.epoch}_{last}"
    if any(item.delivery.event_id == key for item in turn.items):
        return 0
    if WebhookDelivery.objects.filter(endpoint=turn.endpoint, event_id=key).exists():
        # It was told, or is being told: the receiver reads its data again after all of these events.
        return 0
    data = {"epoch": head.epoch, "from": first, "after": last, "reason": reason}
    delivery = _new(turn, key, RESET, now, data=data)
    turn.items.insert(0, _own(delivery, turn.church))
    return 1


def _own(delivery: WebhookDelivery, church: str) -> Item:
    """Return the item of a delivery that the log does not hold."""
    at, data = delivery.created_at, delivery.data or {}
    body = payloads.of_its_own(delivery.event_id, church, delivery.type, at, data)
    return Item(
        delivery, body, known_since=None if delivery._state.adding else delivery.trying_since
    )


def _new(turn: Turn, key: str, kind: str, now: datetime, **fields: Any) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint=turn.endpoint, event_id=key, type=kind, created_at=now, trying_since=now, **fields
    )
