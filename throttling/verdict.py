from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil

from throttling.buckets import Bucket, BucketState, Rate
from throttling.identities import plain
from throttling.policies import Policy


@dataclass(frozen=True)
class Charge:
    """What one policy counts of a request."""

    policy: Policy
    identity: str
    """Who is counted: a user's key, an address, …"""
    rate: Rate
    """The policy's, or that of the caller's plan."""
    cost: int = 1

    @cached_property
    def bucket(self) -> Bucket:
        """Raises CostAboveBurstError where no wait makes it affordable."""
        return Bucket(
            f"{self.policy.name}:{plain(self.identity)}",
            self.rate,
            self.cost,
            self.policy.longest_wait * 1000,
            self.policy.shadow,
        )


@dataclass(frozen=True)
class Judged:
    """A charge and its bucket after the decision."""

    charge: Charge
    state: BucketState

    @property
    def refused(self) -> bool:
        return self.state.short and not self.charge.policy.shadow

    @property
    def remaining_share(self) -> float:
        return self.state.remaining / self.charge.rate.burst

    @property
    def effective_window(self) -> int:
        """Seconds in which the client can use no more than what remains.

        Whoever paces itself by remaining / window is never refused. ``t`` of
        draft-ietf-httpapi-ratelimit-headers-11, section 4.
        """
        if self.state.wait_ms:
            return max(1, ceil(self.state.wait_ms / 1000))
        rate = self.charge.rate
        return max(1, -(-self.state.remaining * rate.period_ms // (rate.count * 1000)))


Returner = Callable[[Sequence[Charge]], Sequence[Judged]]


@dataclass
class Verdict:
    """What the limits say to one request; rides on it as ``request.throttle``."""

    judged: Sequence[Judged] = ()
    """Of the policies that counted it; empty where nothing limits the caller."""
    at_ms: int = 0
    unavailable: Sequence[Policy] = ()
    """Policies that refuse because nobody can count for them."""
    returner: Returner | None = None
    """How charges are given back: to whoever counted them."""
    spent: Mapping[str, int] = field(default_factory=dict)
    """What the view used of each policy's cost, where that is less than it was charged."""

    @property
    def refusing(self) -> Sequence[Judged]:
        return [judged for judged in self.judged if judged.refused]

    @property
    def allowed(self) -> bool:
        return not self.unavailable and not self.refusing

    @property
    def retry_after(self) -> int:
        """Seconds until all that refused would pay; 1 where only Redis is missing."""
        wait_ms = max((judged.state.wait_ms for judged in self.refusing), default=0)
        return max(1, ceil(wait_ms / 1000))

    @property
    def by_tightness(self) -> Sequence[Judged]:
        """What a client is told of, the least remaining share first; shadows are not told."""
        told = [judged for judged in self.judged if not judged.charge.policy.shadow]
        return sorted(told, key=lambda judged: (not judged.refused, judged.remaining_share))

    def give_back(self, *, everything: bool = False) -> None:
        """Return what this request was charged, once; the states are those after it.

        Not what policies keep (``give_back: False``), unless ``everything``. Where Redis is away
        the charge stays.
        """
        self._return(
            {
                judged.charge.policy.name: 0
                for judged in self.judged
                if everything or judged.charge.policy.give_back
            }
        )

    def settle(self, *, accepted: bool) -> None:
        """Charge what was used, once: what was refused costs nothing of an ``accepted_only`` policy,
        and of what was accepted a view may have ``spent`` less than it was charged.

        The rest goes back in one round trip; nobody else's charge is touched.
        """
        refused = {
            judged.charge.policy.name: 0
            for judged in self.judged
            if judged.charge.policy.accepted_only
        }
        self._return(self.spent if accepted else refused)

    def _return(self, costs: Mapping[str, int]) -> None:
        """Give back all that these policies were charged above these costs."""
        if not self.allowed or self.returner is None:
            return
        paid = {
            judged.charge.policy.name: judged for judged in self.judged if not judged.state.short
        }
        returned = [
            replace(paid[name].charge, cost=paid[name].charge.cost - cost)
            for name, cost in costs.items()
            if name in paid and paid[name].charge.cost > cost
        ]
        if returned:
            after = {judged.charge.policy.name: judged for judged in self.returner(returned)}
            self.judged = [after.get(one.charge.policy.name, one) for one in self.judged]
        self.returner = None
