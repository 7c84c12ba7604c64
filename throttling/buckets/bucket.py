from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from throttling.rates import Rate


class BucketsUnavailableError(Exception):
    """Redis did not decide: away, too slow, or refusing. Nothing is known to be charged."""

    retryable = True


class CostAboveBurstError(ValueError):
    """A cost that no wait makes affordable."""

    retryable = False

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(
            f"A cost of {bucket.cost} can never be paid from {bucket.key!r}, which holds at most "
            f"{bucket.rate.burst}."
        )
        self.bucket = bucket


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, and what is asked of it."""

    key: str
    rate: Rate
    cost: int = 1
    longest_wait_ms: int = 0
    """Above 0: each refusal in a row doubles the wait, up to this, and the wait is enforced."""
    shadow: bool = False
    """Judged and reported, never refusing."""

    def __post_init__(self) -> None:
        if self.cost < 0:
            raise ValueError(f"The cost of {self.key!r} is {self.cost}; it must not be negative.")
        if self.cost > self.rate.burst:
            raise CostAboveBurstError(self)


class BucketState(NamedTuple):
    """A bucket after the decision."""

    short: bool
    """It could not pay (where it is no shadow, this refused the request)."""
    remaining: int
    """Whole tokens; 0 while it is frozen or made to wait."""
    wait_ms: int
    """Until the same cost is affordable (again)."""
    full_ms: int
    """Until it is full."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for all buckets of one request."""

    granted: int
    """1 or 0; for ``take_up_to`` how many."""
    states: tuple[BucketState, ...]
    at_ms: int
    """Server time, Unix milliseconds."""
    version: str = ""
    """Of what the store announces (see ``BucketStore.announce``)."""

    @property
    def allowed(self) -> bool:
        return self.granted > 0

    @property
    def wait_ms(self) -> int:
        """Until all that refused can pay."""
        return max((state.wait_ms for state in self.states if state.short), default=0)
