"""Writes the results of a turn: deliveries, cursor, pauses, and the end of an endpoint that fails.

All of it is one transaction, guarded by the token of the claim. If a worker dies before, or its lease
has expired, nothing is written, and another worker posts the same events with the same ids.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from koinonia import audit
from koinonia.health.metrics import instruments
from koinonia.models import WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks.claim import GATED_AFTER, MOST_WAITING
from koinonia.webhooks.schedule import TRYING_FOR, next_try
from koinonia.webhooks.turn import Item, Turn

logger = logging.getLogger(__name__)

_GONE = 410
_State = WebhookDelivery.State
_RESULT = [
    "state", "attempts", "status", "error", "excerpt", "seconds", "trying_since", "tried_at", "next_at",
]  # fmt: skip
_ATTEMPT = ["attempts", "status", "error", "excerpt", "seconds", "tried_at"]


@dataclass(frozen=True, slots=True)
class _Health:
    """Failures in a row, and the first of them."""

    failures: int
    since: datetime | None


@transaction.atomic
def settle(turn: Turn, now: datetime) -> bool:
    """Write the results, and release the endpoint. Return False if the claim is lost."""
    # Lock the endpoint first, as its owner's requests do, so that two transactions cannot deadlock.
    lock_endpoint(turn.endpoint.pk)
    mine = WebhookCursor.objects.filter(pk=turn.endpoint.pk, lease_token=turn.token)
    # Lock the cursor too: a worker must not claim it between this look and the writes below.
    before = mine.select_for_update(no_key=True).first()
    if before is None:
        logger.warning(
            "The claim of a webhook was lost during its turn: the results are not written",
            extra={"action": "webhook_claim_lost", "webhook": turn.endpoint.pk},
        )
        return False
    tried = [item for item in turn.items if item.tried_at is not None]
    health = _health(before, tried)
    for item in tried:
        _write_result(item, item.tried_at or now)
    _save(turn, tried, now)
    epoch, seq = turn.position()
    mine.update(
        epoch=epoch, seq=seq, failures=health.failures, failing_since=health.since,
        next_at=_pause(turn, health, before, now), lease_token="", lease_until=None,
    )  # fmt: skip
    _switch_off(turn, tried, health, now)
    transaction.on_commit(partial(_count, tried))
    return True


def _count(tried: list[Item]) -> None:
    for item in tried:
        instruments.outgoing_posts.labels(item.error or "delivered").inc()


def lock_endpoint(key: int) -> WebhookEndpoint | None:
    """Lock the row of the endpoint until the end of the transaction, and return it."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=key)
    return rows.first()


def _health(before: WebhookCursor, tried: list[Item]) -> _Health:
    failures, since = before.failures, before.failing_since
    for item in tried:
        if item.succeeded:
            failures, since = 0, None
        else:
            failures, since = failures + 1, since or item.tried_at
    return _Health(failures, since)


def _write_result(item: Item, at: datetime) -> None:
    delivery = item.delivery
    delivery.attempts += 1
    delivery.status, delivery.error, delivery.excerpt = item.status, item.error, item.excerpt
    delivery.seconds, delivery.tried_at = round(item.seconds, 3), at
    delivery.next_at = None
    if item.succeeded:
        delivery.state = _State.DELIVERED
        return
    delivery.next_at = next_try(delivery.attempts, delivery.trying_since, at)
    delivery.state = _State.FAILED if delivery.next_at is None else _State.WAITING


def _save(turn: Turn, tried: list[Item], now: datetime) -> None:
    known = [item for item in tried if not item.is_new]
    ordered = _ordered_meanwhile(known)
    WebhookDelivery.objects.bulk_update(
        [item.delivery for item in known if item.delivery.pk not in ordered], _RESULT
    )
    # A person has ordered these again during the turn: they stay due, beside the result of this attempt.
    WebhookDelivery.objects.bulk_update(
        [item.delivery for item in known if item.delivery.pk in ordered], _ATTEMPT
    )
    new = [item.delivery for item in tried if item.is_new]
    WebhookDelivery.objects.bulk_create([*new, *_untold_gaps(turn, now)])
    lost = WebhookDelivery.objects.filter(pk__in=[delivery.pk for delivery in turn.lost])
    lost.update(state=_State.LOST, next_at=None)


def _ordered_meanwhile(known: list[Item]) -> set[int]:
    """Return the keys of the deliveries that a person has ordered again since the claim."""
    seen = {item.delivery.pk: item.known_since for item in known}
    rows = WebhookDelivery.objects.filter(pk__in=seen).values_list("pk", "trying_since")
    return {key for key, since in rows if since != seen[key]}


def _untold_gaps(turn: Turn, now: datetime) -> list[WebhookDelivery]:
    """Return the events about a gap of the log that were not posted. They wait for another claim."""
    items = [one for one in turn.items if one.is_new and one.tried_at is None]
    gaps = [one.delivery for one in items if not one.moves_cursor]
    for gap in gaps:
        gap.next_at = now
    return gaps


def _pause(turn: Turn, health: _Health, before: WebhookCursor, now: datetime) -> datetime | None:
    """Return until when nothing is sent to the endpoint; None: it may be claimed at once."""
    if before.next_at is None:
        # An owner wants to see an answer now, and has ended the pause during the turn.
        return None
    waiting = WebhookDelivery.objects.filter(endpoint=turn.endpoint, state=_State.WAITING)
    if health.failures >= GATED_AFTER and health.since is not None:
        return next_try(health.failures - GATED_AFTER + 1, health.since, now)
    if before.failures >= GATED_AFTER:
        # The receiver is back: do not leave its deliveries to their long pauses.
        waiting.update(next_at=now)
        return None
    times = list(waiting.order_by("next_at").values_list("next_at", flat=True)[:MOST_WAITING])
    return times[0] if len(times) == MOST_WAITING else None


def _switch_off(turn: Turn, tried: list[Item], health: _Health, now: datetime) -> None:
    if any(item.status == _GONE for item in tried):
        switch_off(turn.endpoint, WebhookEndpoint.Off.GONE, now)
    elif health.since is not None and now - health.since >= TRYING_FOR:
        switch_off(turn.endpoint, WebhookEndpoint.Off.FAILING, now)


def switch_off(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Off, now: datetime) -> None:
    """Switch the endpoint off in the caller's transaction, and mark it for a mail to its owners."""
    on: QuerySet[WebhookEndpoint] = WebhookEndpoint.objects.filter(pk=endpoint.pk, off="")
    if on.update(off=reason, off_since=now, owes_notice=True):
        detail = {"reason": str(reason.value)}
        audit.record(endpoint.church, None, "webhook.disabled", endpoint, detail, now=now)
        logger.warning(
            "A webhook was switched off",
            extra={"action": "webhook_off", "webhook": endpoint.pk, "reason": reason.value},
        )
