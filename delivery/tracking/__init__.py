"""The status of messages after they left, and the texts that come in."""

from __future__ import annotations

from delivery.tracking.events import apply_waiting_events, text_waits
from delivery.tracking.watchdog import reconcile

__all__ = ["apply_waiting_events", "reconcile", "text_waits"]
