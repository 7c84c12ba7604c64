"""Texts out and in, and what happened to them."""

from __future__ import annotations

from delivery.models.account_hold import AccountHold
from delivery.models.attempt import Attempt, Outcome
from delivery.models.breaker import BreakerState, BreakerTransition, ForcedBreaker
from delivery.models.dead_letter import DeadLetter
from delivery.models.dead_letter_action import DeadLetterAction
from delivery.models.message import Direction, Encoding, Message, Priority
from delivery.models.opt_out import OptOut
from delivery.models.spend import SpendLimit, SpentHour
from delivery.models.status_check import StatusCheck
from delivery.models.stop_request import StopRequest
from delivery.models.webhook_event import WebhookEvent

__all__ = [
    "AccountHold",
    "Attempt",
    "BreakerState",
    "BreakerTransition",
    "DeadLetter",
    "DeadLetterAction",
    "Direction",
    "Encoding",
    "ForcedBreaker",
    "Message",
    "OptOut",
    "Outcome",
    "Priority",
    "SpendLimit",
    "SpentHour",
    "StatusCheck",
    "StopRequest",
    "WebhookEvent",
]
