from __future__ import annotations

from typing import Any

from delivery.models import Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS


def dead_letters(tenant_id: Any = None) -> MessageQuerySet:
    """What waits for a decision: dead and unknown texts that nobody discarded, newest first."""
    found = Message.objects.filter(
        status__in=sorted(DEAD_LETTERS), discarded_at__isnull=True
    ).order_by("-dead_since", "-pk")
    return found if tenant_id is None else found.filter(tenant_id=tenant_id)
