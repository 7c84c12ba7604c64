from __future__ import annotations

from dataclasses import dataclass

from delivery.models import BreakerState


@dataclass(frozen=True, slots=True)
class Permit:
    """The breaker's answer to "may I call?", to be handed back with what the calls came to."""

    state: BreakerState
    allowed: bool
    epoch: int = 0
    """Raised by each transition: what was asked in an earlier one says nothing about this one."""
    probe: str = ""
    """The token of the one call that may go while it is half open."""
    wait: float = 0.0
    """Seconds after which to ask again."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What some calls of one worker came to."""

    calls: int = 0
    failed: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    before: BreakerState
    after: BreakerState
    reason: str
