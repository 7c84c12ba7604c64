from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery.models.queue import MessageQuerySet


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What one may choose dead letters by. None: whatever it is."""

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
