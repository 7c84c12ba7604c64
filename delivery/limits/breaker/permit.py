from __future__ import annotations

from dataclasses import dataclass

from delivery.models import BreakerState


@dataclass(frozen=True, slots=True)
class Permit:
    """The breaker's answer to "may I call?", to be handed back with the tally of the calls."""

    state: BreakerState
    allowed: bool
    epoch: int = 0
    """Raised by each transition: calls of an earlier epoch do not count in the present one."""
    probe: str = ""
    """The token of the one call that may go while it is half open."""
    wait: float = 0.0
    """Seconds after which to ask again."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some calls of one worker."""

    calls: int = 0
    failed: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    before: BreakerState
    after: BreakerState
    reason: str
