"""Decide about a request: the allowlist, the buckets, and each policy's rule while Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.utils import timezone

from throttling import allowlist, conf, metrics, policies, shared_buckets
from throttling.allowlist import Caller
from throttling.buckets import Bucket, BucketState, BucketsUnavailableError, Decision
from throttling.charges import Charge, PolicyOutcome, ThrottleResult
from throttling.policies import OnFailure
from throttling.shared_buckets import FAILURES, RedisOutage

logger = logging.getLogger(__name__)
outage = RedisOutage()

Charges = Sequence[Charge]


def charge(
    policy: str, identity: str, *, caller: Caller | None = None, cost: int = 1
) -> ThrottleResult:
    """Charge one policy by its name, outside any view (a socket, a job)."""
    found = policies.get(policy)
    return decide([Charge(found, identity, found.rate, cost)], caller or Caller())


def decide(charges: Charges, caller: Caller, *, quietly: bool = False) -> ThrottleResult:
    """Charge all buckets or none, in one round trip. With ``quietly`` a refusal leaves no trace.

    Raises CostAboveBurstError before anything is charged. Never fails because Redis is away.
    """
    if not conf.enabled():
        return ThrottleResult()
    for asked in charges:
        asked.bucket  # noqa: B018  # raises for an impossible cost, also while Redis is away
    listed = allowlist.current()
    counted = _without_exempt(charges, caller, listed)
    if outage.is_known():
        return _decide_without_redis(counted)
    try:
        decision = _take(counted, quietly)
        if decision.version != listed.version:
            counted, decision = _decide_again(charges, counted, decision, caller, quietly)
    except BucketsUnavailableError as error:
        _note_failure("take", error)
        return _decide_without_redis(counted)
    if outage.note_answer():
        logger.warning("Redis decides limits again.", extra={"action": "throttling_recovered"})
    return _result(counted, decision, quietly)


def _without_exempt(charges: Charges, caller: Caller, listed: allowlist.Allowlist) -> Charges:
    names = [asked.policy.name for asked in charges]
    exempt = listed.exempt(caller, names, now=timezone.now())
    return [asked for asked in charges if asked.policy.name not in exempt] if exempt else charges


def _take(charges: Charges, quietly: bool) -> Decision:
    store = shared_buckets.store()
    take = store.try_to_take if quietly else store.take
    return take([asked.bucket for asked in charges])


def _decide_again(
    charges: Charges, counted: Charges, decision: Decision, caller: Caller, quietly: bool
) -> tuple[Charges, Decision]:
    """Read a changed allowlist, and refund the charges that it exempts now."""
    listed = allowlist.read_again(decision.version)
    still_counted = _without_exempt(charges, caller, listed)
    if list(still_counted) == list(counted):
        return counted, decision
    _refund_to_redis(_paid(counted, decision))
    return still_counted, _take(still_counted, quietly)


def _paid(charges: Charges, decision: Decision) -> Charges:
    if not decision.granted:
        return []
    states = decision.states
    return [asked for asked, state in zip(charges, states, strict=True) if not state.short]


def _result(charges: Charges, decision: Decision, quietly: bool) -> ThrottleResult:
    outcomes = _outcomes(charges, decision.states)
    for one in outcomes if decision.granted or not quietly else ():
        outcome = "refused" if one.refused else "shadowed" if one.state.short else "allowed"
        metrics.count(one.charge.policy.name, outcome)
    return ThrottleResult(outcomes, decision.at_ms, refund=_refund_to_redis)


def _outcomes(charges: Charges, states: Sequence[BucketState]) -> list[PolicyOutcome]:
    return [PolicyOutcome(asked, state) for asked, state in zip(charges, states, strict=True)]


def _refund_to_redis(charges: Charges) -> Sequence[PolicyOutcome]:
    if not charges:
        return []
    try:
        after = shared_buckets.store().give_back([asked.bucket for asked in charges])
    except BucketsUnavailableError as error:
        _note_failure("give", error)
        return []
    return _outcomes(charges, after.states)


def _decide_without_redis(charges: Charges) -> ThrottleResult:
    for asked in charges:
        metrics.count(asked.policy.name, "failed")
    closed = [asked.policy for asked in charges if asked.policy.on_failure is OnFailure.CLOSED]
    if closed:
        return ThrottleResult(unavailable=closed)
    counted = [asked for asked in charges if asked.policy.on_failure is OnFailure.LOCAL]
    decision = shared_buckets.local.take(_local_buckets(counted))
    return ThrottleResult(
        _outcomes(counted, decision.states), decision.at_ms, refund=_refund_to_this_process
    )


def _refund_to_this_process(charges: Charges) -> Sequence[PolicyOutcome]:
    return _outcomes(charges, shared_buckets.local.give_back(_local_buckets(charges)).states)


def _local_buckets(charges: Charges) -> list[Bucket]:
    processes = conf.local_processes()
    return [
        Bucket(
            asked.bucket.key,
            rate := asked.rate.shared_by(processes),
            min(asked.cost, rate.burst),
            shadow=asked.policy.shadow,
        )
        for asked in charges
    ]


def _note_failure(call: str, error: BucketsUnavailableError) -> None:
    metrics.count_unanswered(call)
    in_a_row = outage.note_failure()
    if in_a_row < FAILURES:
        logger.warning(
            "Redis did not answer the call %r of a rate limit: %s",
            call,
            error,
            extra={"action": "throttling_unanswered"},
        )
    elif in_a_row == FAILURES:
        logger.error(
            "Redis does not answer; each policy now follows its on_failure: %s",
            error,
            extra={"action": "throttling_failed"},
        )
