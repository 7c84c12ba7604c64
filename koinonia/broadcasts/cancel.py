from __future__ import annotations

from datetime import datetime

from delivery.cancel import cancel_batch
from delivery.changes import message_changes
from koinonia.models import Broadcast


def cancel_broadcast(broadcast: Broadcast, *, now: datetime) -> int:
    """Call back what has not been sent; how many texts that were. 0: it was too late for all."""
    with message_changes(now):
        cancelled = cancel_batch(broadcast.church_id, broadcast.pk, now=now)
        if cancelled:
            rows = Broadcast.objects.filter(pk=broadcast.pk, cancelled_at__isnull=True)
            rows.update(cancelled_at=now)
    return cancelled
