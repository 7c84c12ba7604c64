"""The options of the simulator, at start or while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.providers.simulator import account


@dataclass(kw_only=True)
class Options(account.Options):
    queue_seconds: float = 4 * 3600
    """A queue longer than this is full (40318)."""
    validity_seconds: float = 3600
    """``valid_until`` after ``received_at``; a text that is still queued then ends as
    ``sending_failed``."""
    schedule_ahead_seconds: float = 300
    """The shortest time until ``send_at``."""
    webhook_failover_url: str = ""
    webhook_timeout_seconds: float = 2
    webhook_retry_seconds: float = 1
    """The pause before the second attempt; it doubles for the third."""
    opt_out_scope: str = "profile"
    """``profile`` (in the simulator: the receiving number) or ``account``."""
