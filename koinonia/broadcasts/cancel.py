from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from delivery.cancel import cancel_batch
from delivery.changes import message_changes
from delivery.statuses import Status
from koinonia.broadcasts import progress_events
from koinonia.models import Broadcast


def cancel_broadcast(broadcast: Broadcast, *, now: datetime) -> int:
    """Cancel what has not been sent; return how many texts that were. 0: it was too late for all.

    A scheduled broadcast has no messages yet. Its row is the lock between this and the worker that
    makes them: the one who waited finds ``due_at`` cleared.
    """
    with message_changes(now):
        waiting = Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False)
        if waiting.update(due_at=None, cancelled_at=now, ended_as=Status.CANCELLED.value):
            transaction.on_commit(partial(progress_events.tell, [broadcast.pk], now))
            return max(1, broadcast.total - broadcast.forecast_suppressed)
        cancelled = cancel_batch(broadcast.church_id, broadcast.pk, now=now)
        if cancelled:
            rows = Broadcast.objects.filter(pk=broadcast.pk, cancelled_at__isnull=True)
            rows.update(cancelled_at=now)
    return cancelled
