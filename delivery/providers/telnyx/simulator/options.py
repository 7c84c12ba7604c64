"""What can be turned, at start or while it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(kw_only=True)
class Options:
    """Times in seconds, rates in message parts per second."""

    rate: float = 2000
    """Parts per second of one sending number; what comes faster waits in its queue."""
    queue_seconds: float = 4 * 3600
    """A queue longer than this is full (40318)."""
    validity_seconds: float = 3600
    """``valid_until`` after ``received_at``; a text still queued then ends ``sending_failed``."""
    latency_ms: float = 0
    """Each POST of a message is answered this much later, having been accepted."""
    sent_seconds: float = 0.02
    """From the queue to the carrier."""
    carrier_seconds: float = 0.05
    """From the carrier to the phone."""
    schedule_ahead_seconds: float = 300
    """``send_at`` must be at least this far ahead."""
    webhook_url: str = ""
    """The messaging profile's URL: inbound texts, and texts without a URL of their own."""
    webhook_failover_url: str = ""
    webhooks: bool = True
    """Off: events are lost."""
    webhook_timeout_seconds: float = 2
    webhook_retry_seconds: float = 1
    """Before the second attempt; doubles for the third."""
    opt_out_scope: str = "profile"
    """``profile`` (here: the number that was texted) or ``account``."""

    def change(self, changes: dict[str, Any]) -> None:
        """Sets the named options; raises ValueError naming what is unknown or of a wrong type."""
        for name, value in changes.items():
            self._check(name, value)
        for name, value in changes.items():
            setattr(self, name, value)

    def _check(self, name: str, value: Any) -> None:
        if name not in {field.name for field in fields(self)}:
            raise ValueError(f"There is no option {name!r}.")
        present = getattr(self, name)
        if not _is_like(present, value):
            raise ValueError(f"{name} cannot be {value!r}; it is now {present!r}.")
        if name == "rate" and value == 0:
            raise ValueError("rate must be more than 0.")


def _is_like(present: Any, value: Any) -> bool:
    """Of the same kind: a switch, a text, or a number of 0 or more."""
    if isinstance(present, bool | str):
        return type(value) is type(present)
    return type(value) in (int, float) and value >= 0
