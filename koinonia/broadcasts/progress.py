"""How far broadcasts are, counted from their texts."""

from __future__ import annotations

from django.db.models import Count

from delivery.models import Message
from koinonia.models import Broadcast


def with_counts(broadcasts: list[Broadcast]) -> list[Broadcast]:
    """The same, with the counts of all of them read by one query."""
    counts: dict[int, dict[str, int]] = {broadcast.pk: {} for broadcast in broadcasts}
    messages = Message.objects.filter(batch__in=counts).order_by()
    rows = messages.values_list("batch", "status").annotate(number=Count("pk"))
    for batch, status, number in rows:
        if batch is not None:
            counts[batch][status] = number
    for broadcast in broadcasts:
        broadcast.remember(counts[broadcast.pk])
    return broadcasts
