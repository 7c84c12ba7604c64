"""Charge policies for one request, and hold the result.

A ``Charge`` names a bucket, a ``PolicyOutcome`` is a charge with its bucket after the decision, and
a ``ThrottleResult`` holds all outcomes of one request.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil

from django.conf import settings
from django.utils.crypto import salted_hmac

from throttling.buckets import Bucket, BucketState, Rate
from throttling.policies import Policy

_SAFE_IN_A_KEY = re.compile(r"[\w.:/@+-]{1,64}", re.ASCII)


def name_digest(username: str) -> str:
    """Return a keyed hash of a user name; spellings that mean the same name have one hash."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    return salted_hmac("throttling.name", name, algorithm="sha256").hexdigest()[:16]


def earlier_name_digests(username: str) -> list[str]:
    """Return the hashes of a user name under the keys of ``SECRET_KEY_FALLBACKS``."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    return [
        salted_hmac("throttling.name", name, secret=key, algorithm="sha256").hexdigest()[:16]
        for key in settings.SECRET_KEY_FALLBACKS
    ]


def key_part(identity: str) -> str:
    """Return the identity, or its keyed hash if it is long or has unusual characters."""
    if _SAFE_IN_A_KEY.fullmatch(identity):
        return identity
    return salted_hmac("throttling.identity", identity, algorithm="sha256").hexdigest()[:32]


@dataclass(frozen=True)
class Charge:
    """The cost that one policy takes from one bucket for a request."""

    policy: Policy
    identity: str
    """The counted user's key, address, …"""
    rate: Rate
    """The rate of the policy or of the caller's plan."""
    cost: int = 1

    @cached_property
    def bucket(self) -> Bucket:
        """Return the bucket; raise CostAboveBurstError if the bucket can never hold the cost."""
        return Bucket(
            f"{self.policy.name}:{key_part(self.identity)}",
            self.rate,
            self.cost,
            self.policy.longest_wait * 1000,
            self.policy.shadow,
        )


@dataclass(frozen=True)
class PolicyOutcome:
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
        """Return the seconds for which the remaining tokens must last.

        A client that paces itself by remaining / window is never refused. This is ``t`` of
        draft-ietf-httpapi-ratelimit-headers-11, section 4.
        """
        if self.state.wait_ms:
            return max(1, ceil(self.state.wait_ms / 1000))
        rate = self.charge.rate
        return max(1, -(-self.state.remaining * rate.period_ms // (rate.count * 1000)))


Refund = Callable[[Sequence[Charge]], Sequence[PolicyOutcome]]


@dataclass
class ThrottleResult:
    """The decision of all limits about one request; stored as ``request.throttle``."""

    outcomes: Sequence[PolicyOutcome] = ()
    """The outcome of each policy that counted the request."""
    at_ms: int = 0
    unavailable: Sequence[Policy] = ()
    """Policies that refuse because nothing can count for them."""
    refund: Refund | None = None
    """Give charges back to the store that counted them."""
    spent: Mapping[str, int] = field(default_factory=dict)
    """Actual cost by policy, where the view used less than it was charged."""

    @property
    def refusing(self) -> Sequence[PolicyOutcome]:
        return [outcome for outcome in self.outcomes if outcome.refused]

    @property
    def allowed(self) -> bool:
        return not self.unavailable and not self.refusing

    @property
    def retry_after(self) -> int:
        """Return the seconds until every refusing bucket can pay; 1 if only Redis is missing."""
        wait_ms = max((outcome.state.wait_ms for outcome in self.refusing), default=0)
        return max(1, ceil(wait_ms / 1000))

    @property
    def by_tightness(self) -> Sequence[PolicyOutcome]:
        """Return the outcomes for the client, least remaining share first, without shadows."""
        shown = [outcome for outcome in self.outcomes if not outcome.charge.policy.shadow]
        return sorted(shown, key=lambda outcome: (not outcome.refused, outcome.remaining_share))

    def give_back(self, *, everything: bool = False) -> None:
        """Return the charges of this request, once, and update the outcomes.

        Policies with ``give_back: False`` keep their charge, unless ``everything``. While Redis is
        away the charge stays.
        """
        self._lower_to(
            {
                outcome.charge.policy.name: 0
                for outcome in self.outcomes
                if everything or outcome.charge.policy.give_back
            }
        )

    def settle(self, *, accepted: bool) -> None:
        """Lower the charges to the actual cost, once and in one round trip.

        A request that was not accepted costs nothing under an ``accepted_only`` policy. For an
        accepted one the view may have ``spent`` less than it was charged.
        """
        free = {
            outcome.charge.policy.name: 0
            for outcome in self.outcomes
            if outcome.charge.policy.accepted_only
        }
        self._lower_to(self.spent if accepted else free)

    def _lower_to(self, costs: Mapping[str, int]) -> None:
        if not self.allowed or self.refund is None:
            return
        paid = {
            outcome.charge.policy.name: outcome
            for outcome in self.outcomes
            if not outcome.state.short
        }
        returned = [
            replace(paid[name].charge, cost=paid[name].charge.cost - cost)
            for name, cost in costs.items()
            if name in paid and paid[name].charge.cost > cost
        ]
        if returned:
            after = {outcome.charge.policy.name: outcome for outcome in self.refund(returned)}
            self.outcomes = [after.get(one.charge.policy.name, one) for one in self.outcomes]
        self.refund = None
