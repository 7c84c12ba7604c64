"""Deletes the deliveries that are older than the events of the log."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from koinonia.models import WebhookDelivery, WebhookEndpoint
from realtime import conf

MOST_KEPT = 100_000
"""Deliveries of one endpoint; older ones go at night."""
_SLICE = 1_000


def prune(now: datetime, *, dry_run: bool = False) -> int:
    """Delete old and surplus deliveries, but none that waits. Return the number."""
    found = 0
    for key in WebhookEndpoint.objects.order_by("pk").values_list("pk", flat=True):
        old = _old(key, now)
        found += old.count() if dry_run else _delete(old)
    return found


def _old(endpoint: int, now: datetime) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    too_old = Q(created_at__lt=now - conf.retention())
    surplus = rows.order_by("-created_at", "-pk").values_list("created_at", flat=True)
    if last := next(iter(surplus[MOST_KEPT : MOST_KEPT + 1]), None):
        too_old |= Q(created_at__lte=last)
    return rows.filter(too_old).exclude(state=WebhookDelivery.State.WAITING)


def _delete(old: QuerySet[WebhookDelivery]) -> int:
    """Delete in slices, a transaction for each."""
    deleted = 0
    while keys := list(old.values_list("pk", flat=True)[:_SLICE]):
        deleted += WebhookDelivery.objects.filter(pk__in=keys).delete()[0]
    return deleted
