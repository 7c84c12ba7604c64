"""Say why one text waits: a stop, a hold, the breaker, the daily limit, or only its time."""

from __future__ import annotations

from datetime import datetime

from delivery.limits import spend, stops
from delivery.models import BreakerState, Message
from delivery.models.queue import DUE_STATUSES
from delivery.providers.registry import UnknownProviderError
from delivery.status_report import limits_of

_BLOCKS = {
    BreakerState.OPEN: "The circuit breaker stops calls to {provider}, which fails. It tries again by itself.",
    BreakerState.HALF_OPEN: "{provider} failed, and one text at a time is tried.",
    BreakerState.FORCED_OPEN: "A person has stopped all calls to {provider}.",
}


def why_it_waits(message: Message, now: datetime) -> str:
    """Return a sentence about a waiting text; empty for any other text, or without a special reason."""
    if message.status not in DUE_STATUSES:
        return ""
    if stops.current(message.tenant_id, now) is not None:
        return "Support has stopped the texts of this church."
    try:
        limits = limits_of(message.provider, now)
    except UnknownProviderError:
        return f"The settings have no account {message.provider} any more: nothing can be sent through it."
    if limits["hold"]:
        return (
            f"{message.provider.title()} refuses our account: nothing is sent until the hold ends."
        )
    if words := _BLOCKS.get(limits["breaker"]["state"]):
        return words.format(provider=message.provider.title())
    if spend.current(message.tenant_id, now).until:
        return "The church has reached its daily limit."
    if {"", message.from_number} & limits["slowed"].keys():
        return "Support has slowed the pace: it goes out when its turn comes."
    if message.next_attempt_at and message.next_attempt_at > now:
        return f"It is due at {message.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC."
    return ""
