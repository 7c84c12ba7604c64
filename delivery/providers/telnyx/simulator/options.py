"""The options of the simulator, at start or while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.providers.simulator.control import Tunable


@dataclass(kw_only=True)
class Options(Tunable):
    """Times in seconds, rates in message parts per second."""

    rate: float = 2000
    """Parts per second of one sending number; faster texts wait in its queue."""
    queue_seconds: float = 4 * 3600
    """A queue longer than this is full (40318)."""
    validity_seconds: float = 3600
    """``valid_until`` after ``received_at``; a text that is still queued then ends as
    ``sending_failed``."""
    sent_seconds: float = 0.02
    """The time from the queue to the carrier."""
    carrier_seconds: float = 0.05
    """The time from the carrier to the phone."""
    schedule_ahead_seconds: float = 300
    """The shortest time until ``send_at``."""
    webhook_failover_url: str = ""
    webhooks: bool = True
    """False: events are dropped."""
    webhook_timeout_seconds: float = 2
    webhook_retry_seconds: float = 1
    """The pause before the second attempt; it doubles for the third."""
    opt_out_scope: str = "profile"
    """``profile`` (in the simulator: the receiving number) or ``account``."""
