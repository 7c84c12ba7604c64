"""The Django admin of this app: the dead letter queue, the breaker, and lists to search."""

from __future__ import annotations

from delivery.admin.breaker import BreakerAdmin
from delivery.admin.dead_letters import DeadLetterAdmin
from delivery.admin.opt_outs import OptOutAdmin
from delivery.admin.retry_runs import RetryRunAdmin
from delivery.admin.slowdowns import SlowdownAdmin
from delivery.admin.spend import SpendLimitAdmin
from delivery.admin.stop_requests import StopRequestAdmin
from delivery.admin.tenant_stops import TenantStopAdmin
from delivery.admin.webhook_events import WebhookEventAdmin

__all__ = [
    "BreakerAdmin",
    "DeadLetterAdmin",
    "OptOutAdmin",
    "RetryRunAdmin",
    "SlowdownAdmin",
    "SpendLimitAdmin",
    "StopRequestAdmin",
    "TenantStopAdmin",
    "WebhookEventAdmin",
]
