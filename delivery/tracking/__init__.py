"""What becomes of texts after they left, and the texts that come in."""

from __future__ import annotations

from delivery.tracking.apply import apply_waiting_events
from delivery.tracking.background import reconcile

__all__ = ["apply_waiting_events", "reconcile"]
