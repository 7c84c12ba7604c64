"""The tables: messages, attempts, webhook events, opt-outs, limits, audit rows."""

from __future__ import annotations

from delivery.models.attempt import Attempt, Outcome, StatusCheck
from delivery.models.batch_count import BatchCount
from delivery.models.consent_change import ConsentChange
from delivery.models.dead_letter import (
    DeadLetter,
    DeadLetterAction,
    LetterAssignment,
    RetryRun,
    SavedFilter,
)
from delivery.models.limits import (
    AccountHold,
    BreakerState,
    BreakerTransition,
    ForcedBreaker,
    Slowdown,
    SpendLimit,
    SpentHour,
    TenantStop,
)
from delivery.models.message import Direction, Encoding, Message, Priority
from delivery.models.opt_out import OptOut, StopRequest
from delivery.models.retention import Archive, NightlyRun
from delivery.models.tally import Tally
from delivery.models.webhook_event import WebhookEvent

__all__ = [
    "AccountHold",
    "Archive",
    "Attempt",
    "BatchCount",
    "BreakerState",
    "BreakerTransition",
    "ConsentChange",
    "DeadLetter",
    "DeadLetterAction",
    "Direction",
    "Encoding",
    "ForcedBreaker",
    "LetterAssignment",
    "Message",
    "NightlyRun",
    "OptOut",
    "Outcome",
    "Priority",
    "RetryRun",
    "SavedFilter",
    "Slowdown",
    "SpendLimit",
    "SpentHour",
    "StatusCheck",
    "StopRequest",
    "Tally",
    "TenantStop",
    "WebhookEvent",
]
