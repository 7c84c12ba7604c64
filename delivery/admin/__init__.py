"""Django admin of this app: the dead letter queue, the breaker, and what can be looked up."""

from __future__ import annotations

from delivery.admin.breaker import BreakerAdmin
from delivery.admin.dead_letters import DeadLetterAdmin
from delivery.admin.records import OptOutAdmin, WebhookEventAdmin
from delivery.admin.spend import SpendLimitAdmin
from delivery.admin.stop_requests import StopRequestAdmin

SUPPORT_PERMISSIONS = (
    "delivery.view_deadletter",
    "delivery.change_deadletter",
    "delivery.view_attempt",
    "delivery.view_deadletteraction",
    "delivery.view_breakertransition",
    "delivery.change_breakertransition",
    "delivery.view_spendlimit",
    "delivery.add_spendlimit",
    "delivery.change_spendlimit",
)
"""What someone needs who looks after sending and is to see no more of members than that takes."""

__all__ = [
    "SUPPORT_PERMISSIONS",
    "BreakerAdmin",
    "DeadLetterAdmin",
    "OptOutAdmin",
    "SpendLimitAdmin",
    "StopRequestAdmin",
    "WebhookEventAdmin",
]
