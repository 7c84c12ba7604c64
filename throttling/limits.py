"""Decides about a request: allowlist, buckets, and what happens while Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.utils import timezone

from throttling import allowlist, conf, metrics, policies, stores
from throttling.allowlist import Caller
from throttling.buckets import Bucket, BucketState, BucketsUnavailableError, Decision
from throttling.outage import FAILURES, Outage
from throttling.policies import OnFailure
from throttling.verdict import Charge, Judged, Verdict

logger = logging.getLogger(__name__)
outage = Outage()

Charges = Sequence[Charge]


def charge(policy: str, identity: str, *, caller: Caller | None = None, cost: int = 1) -> Verdict:
    """Charge one policy by its name, outside of any view (a socket, a job)."""
    found = policies.get(policy)
    return decide([Charge(found, identity, found.rate, cost)], caller or Caller())


def decide(charges: Charges, caller: Caller, *, quietly: bool = False) -> Verdict:
    """Charge all or none, in one round trip. ``quietly``: a refusal leaves no trace.

    Raises CostAboveBurstError before anything is charged. Never fails because Redis is away.
    """
    if not conf.enabled():
        return Verdict()
    for asked in charges:
        asked.bucket  # noqa: B018  # a cost that cannot be paid is told even while Redis is away
    listed = allowlist.current()
    counted = _counted(charges, caller, listed)
    if outage.known():
        return _without_redis(counted)
    try:
        decision = _take(counted, quietly)
        if decision.version != listed.version:
            counted, decision = _judge_again(charges, counted, decision, caller, quietly)
    except BucketsUnavailableError as error:
        _note_failure("take", error)
        return _without_redis(counted)
    if outage.over():
        logger.warning("Redis decides limits again.", extra={"action": "throttling_recovered"})
    return _verdict(counted, decision, quietly)


def _counted(charges: Charges, caller: Caller, listed: allowlist.Allowlist) -> Charges:
    names = [asked.policy.name for asked in charges]
    exempt = listed.exempt(caller, names, now=timezone.now())
    return [asked for asked in charges if asked.policy.name not in exempt] if exempt else charges


def _take(charges: Charges, quietly: bool) -> Decision:
    store = stores.shared()
    take = store.try_to_take if quietly else store.take
    return take([asked.bucket for asked in charges])


def _judge_again(
    charges: Charges, counted: Charges, decision: Decision, caller: Caller, quietly: bool
) -> tuple[Charges, Decision]:
    """The allowlist has changed since our copy: what it frees now was not to be charged."""
    listed = allowlist.read_again(decision.version)
    should = _counted(charges, caller, listed)
    if list(should) == list(counted):
        return counted, decision
    _return_to_redis(_paid(counted, decision))
    return should, _take(should, quietly)


def _paid(charges: Charges, decision: Decision) -> Charges:
    if not decision.granted:
        return []
    states = decision.states
    return [asked for asked, state in zip(charges, states, strict=True) if not state.short]


def _verdict(charges: Charges, decision: Decision, quietly: bool) -> Verdict:
    judged = _judged(charges, decision.states)
    for one in judged if decision.granted or not quietly else ():
        outcome = "refused" if one.refused else "shadowed" if one.state.short else "allowed"
        metrics.count(one.charge.policy.name, outcome)
    return Verdict(judged, decision.at_ms, returner=_return_to_redis)


def _judged(charges: Charges, states: Sequence[BucketState]) -> list[Judged]:
    return [Judged(asked, state) for asked, state in zip(charges, states, strict=True)]


def _return_to_redis(charges: Charges) -> Sequence[Judged]:
    if not charges:
        return []
    try:
        after = stores.shared().give_back([asked.bucket for asked in charges])
    except BucketsUnavailableError as error:
        _note_failure("give", error)
        return []
    return _judged(charges, after.states)


def _without_redis(charges: Charges) -> Verdict:
    for asked in charges:
        metrics.count(asked.policy.name, "failed")
    closed = [asked.policy for asked in charges if asked.policy.on_failure is OnFailure.CLOSED]
    if closed:
        return Verdict(unavailable=closed)
    counted = [asked for asked in charges if asked.policy.on_failure is OnFailure.LOCAL]
    decision = stores.local.take(_local(counted))
    return Verdict(
        _judged(counted, decision.states), decision.at_ms, returner=_return_to_this_process
    )


def _return_to_this_process(charges: Charges) -> Sequence[Judged]:
    return _judged(charges, stores.local.give_back(_local(charges)).states)


def _local(charges: Charges) -> list[Bucket]:
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
    in_a_row = outage.failed()
    if in_a_row < FAILURES:
        logger.warning(
            "Redis did not answer a limit's call to %s: %s",
            call,
            error,
            extra={"action": "throttling_unanswered"},
        )
    elif in_a_row == FAILURES:
        logger.error(
            "Redis does not decide limits; each policy does what its on_failure says: %s",
            error,
            extra={"action": "throttling_failed"},
        )
