"""The dead letters that wait for a decision: how to choose them, and how to show their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery.models import Message
from delivery.models.queue import MessageQuerySet


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Conditions on dead letters; None: any value."""

    status: str | None = None
    code: str | None = None
    error_class: str | None = None
    dead_after: datetime | None = None
    dead_before: datetime | None = None
    batch: int | None = None
    recipient_id: int | None = None

    def apply(self, letters: MessageQuerySet) -> MessageQuerySet:
        wanted = {
            "status": self.status,
            "error_code": self.code,
            "error_class": self.error_class,
            "dead_since__gte": self.dead_after,
            "dead_since__lt": self.dead_before,
            "batch": self.batch,
            "recipient_id": self.recipient_id,
        }
        return letters.filter(
            **{name: value for name, value in wanted.items() if value is not None}
        )


def dead_letters(tenant_id: Any = None) -> MessageQuerySet:
    """Return dead and unknown messages that were not discarded, newest first."""
    found = Message.objects.dead_letters().order_by("-dead_since", "-pk")
    return found if tenant_id is None else found.filter(tenant_id=tenant_id)


def masked(number: str) -> str:
    """Return ``+13125550142`` as ``+131•••••142``: enough to compare two, too little to call one."""
    if len(number) < 8:
        return "•" * len(number)
    return number[:4] + "•" * (len(number) - 7) + number[-3:]
