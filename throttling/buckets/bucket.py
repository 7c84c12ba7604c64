from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from throttling.rates import Rate


class BucketsUnavailableError(Exception):
    """Redis did not decide: it is away, too slow, or refuses. It is unknown whether it charged."""

    retryable = True


class CostAboveBurstError(ValueError):
    """A cost that is larger than the bucket, so that waiting does not help."""

    retryable = False

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(
            f"A cost of {bucket.cost} can never be paid from {bucket.key!r}, which holds at most "
            f"{bucket.rate.burst}."
        )
        self.bucket = bucket


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and the cost to take from it."""

    key: str
    rate: Rate
    cost: int = 1
    longest_wait_ms: int = 0
    """Above 0, each refusal in a row doubles the wait, up to this, and the bucket enforces it."""
    shadow: bool = False
    """Count and report, but never refuse."""

    def __post_init__(self) -> None:
        if self.cost < 0:
            raise ValueError(f"The cost of {self.key!r} is {self.cost}; it must not be negative.")
        if self.cost > self.rate.burst:
            raise CostAboveBurstError(self)


class BucketState(NamedTuple):
    """A bucket after the decision."""

    short: bool
    """True if the bucket had too few tokens. Unless it is a shadow, it refused the request."""
    remaining: int
    """Whole tokens; 0 while the bucket enforces a wait."""
    wait_ms: int
    """Milliseconds until the bucket can pay the same cost (again)."""
    full_ms: int
    """Milliseconds until the bucket is full."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for all buckets of one request."""

    granted: int
    """1 or 0."""
    states: tuple[BucketState, ...]
    at_ms: int
    """Server time, Unix milliseconds."""
    version: str = ""
    """The version that was announced last (see ``BucketStore.announce``)."""

    @property
    def allowed(self) -> bool:
        return self.granted > 0

    @property
    def wait_ms(self) -> int:
        """Return the milliseconds until every refusing bucket can pay."""
        return max((state.wait_ms for state in self.states if state.short), default=0)
