"""The options of the simulator, at start or while it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(kw_only=True)
class Options:
    """Times in seconds, rates in message parts per second."""

    rate: float = 2000
    """Parts per second of one sending number; faster texts wait in its queue."""
    queue_seconds: float = 4 * 3600
    """A queue longer than this is full (40318)."""
    validity_seconds: float = 3600
    """``valid_until`` after ``received_at``; a text that is still queued then ends as
    ``sending_failed``."""
    latency_ms: float = 0
    """The delay of each POST's answer, after acceptance."""
    sent_seconds: float = 0.02
    """The time from the queue to the carrier."""
    carrier_seconds: float = 0.05
    """The time from the carrier to the phone."""
    schedule_ahead_seconds: float = 300
    """The shortest time until ``send_at``."""
    webhook_url: str = ""
    """The messaging profile's URL: for inbound texts, and for texts without a separate URL."""
    webhook_failover_url: str = ""
    webhooks: bool = True
    """False: events are dropped."""
    webhook_timeout_seconds: float = 2
    webhook_retry_seconds: float = 1
    """The pause before the second attempt; it doubles for the third."""
    opt_out_scope: str = "profile"
    """``profile`` (in the simulator: the receiving number) or ``account``."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set the named options. Raise ValueError for an unknown name or a wrong type."""
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
    """Return the value if it has the type of the option: a switch, a text, or a number of 0 or
    more."""
    if isinstance(present, bool | str):
        return type(value) is type(present)
    return type(value) in (int, float) and value >= 0
