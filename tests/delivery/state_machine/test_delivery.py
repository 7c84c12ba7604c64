"""The state machine, guided to rare events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from delivery.limits import breaker
from delivery.limits.breaker import Tally
from delivery.models import BreakerState
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.state_machine.answers import REPORTS
from tests.delivery.state_machine.expected import ATTEMPTS
from tests.delivery.state_machine.machine import FAILURES, Delivery


class SeldomDelivery(Delivery):
    @rule(failure=st.sampled_from(FAILURES), again=st.booleans(), may_double=st.booleans())
    def fail_for_good(self, failure: str, again: bool, may_double: bool) -> None:
        breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
        self.send([failure] * ATTEMPTS)
        breaker.release(account(), by=None, now=self.now)
        if again:
            self.retry_dead_letters(may_double)
            self.send(["accepted"])

    @rule()
    def refuse_what_was_is_ambiguous(self) -> None:
        """Lose the answer to the first call; the second answer says that the provider did not
        accept it."""
        breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
        self.broadcast()
        self.send(["lost", "permanent"])
        breaker.release(account(), by=None, now=self.now)

    @initialize(failure=st.sampled_from(FAILURES))
    def begin_with_a_failed_probe(self, failure: str) -> None:
        self.fail_a_probe(failure)

    @initialize(status=st.sampled_from(sorted(REPORTS)))
    def begin_with_two_sends(self, status: str) -> None:
        self.hear_of_the_first_send_after_the_second(status)

    @initialize(status=st.sampled_from(sorted(REPORTS)))
    def begin_with_a_second_send_to_come(self, status: str) -> None:
        self.hear_of_the_first_send_before_the_second(status)

    @initialize()
    def begin_with_a_doubt_settled_late(self) -> None:
        self.answer_what_was_given_up()

    @initialize()
    def begin_with_a_doubt_refused(self) -> None:
        self.refuse_what_was_is_ambiguous()

    @rule(failure=st.sampled_from(FAILURES))
    def fail_a_probe(self, failure: str) -> None:
        self.heal_the_breaker()
        self.broadcast()
        breaker.record(account(), breaker.ask(account(), self.now), Tally(10, 10), self.now)
        probes: list[int] = []
        for _ in range(50):  # it stays open for a millisecond of real time
            self.claim()
            jobs = self.threads.in_flight_by_id.items()
            probes = [pk for pk, job in jobs if job.permit is not None and job.permit.probe]
            if probes:
                break
        self.settle(dict.fromkeys(probes, failure))
        self.heal_the_breaker()

    @rule()
    def crash_again_and_again(self) -> None:
        for _ in range(6):
            self.claim()
            if self.threads.in_flight_by_id:
                self.crash(reached=False)
            self.now += timedelta(seconds=31)

    @rule(reached=st.booleans())
    def overtake_a_slow_worker(self, reached: bool) -> None:
        self.claim()
        if self.threads.in_flight_by_id:
            self.crash(reached)
            self.now += timedelta(seconds=31)
            self.claim()
            self.a_zombie_comes_back()

    @rule()
    def answer_what_was_given_up(self) -> None:
        """Slow a worker down until others have used up all attempts of its messages."""
        breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
        self.claim()
        if self.threads.in_flight:
            self.crash(reached=True)
            breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
            self.now += timedelta(seconds=31)
            self.send(["lost"] * ATTEMPTS)
            self.a_zombie_comes_back()
        breaker.release(account(), by=None, now=self.now)

    @rule(status=st.sampled_from(sorted(REPORTS)))
    def tell_of_the_first_sends(self, status: str) -> None:
        """Return the messages that were sent twice by order of a person."""
        firsts = {int(key.split(":")[1]): key for key in reversed(list(self.accepted))}
        for pk in sorted(firsts.keys() & (+self.expected.doubled).keys()):
            self.report(firsts[pk], status)

    @rule(status=st.sampled_from(sorted(REPORTS)))
    def hear_of_the_first_send_before_the_second(self, status: str) -> None:
        """Return the messages with an ordered second send that no worker has started."""
        self.fail_for_good("accepted_lost", again=False, may_double=False)
        self.retry_dead_letters(may_double=True)
        self.tell_of_the_first_sends(status)

    @rule(status=st.sampled_from(sorted(REPORTS)))
    def hear_of_the_first_send_after_the_second(self, status: str) -> None:
        """Return the messages whose first send had no answer and whose ordered second send was
        accepted."""
        self.fail_for_good("accepted_lost", again=True, may_double=True)
        self.tell_of_the_first_sends(status)


def run(church: Church, pytest_settings: Any, examples: int, steps: int) -> None:
    SeldomDelivery.church, SeldomDelivery.pytest_settings = church, pytest_settings
    run_state_machine_as_test(
        SeldomDelivery,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("examples", [10, pytest.param(30, marks=pytest.mark.chaos)])
def test_no_order_of_events_loses_or_doubles_a_message(
    grace: Church, settings: Any, examples: int
) -> None:
    run(grace, settings, examples=examples, steps=50)
    for rare in (
        "an earlier send", "a failed probe", "an ambiguous call refused", "an ambiguous call settled late",
        "a report that must wait",
    ):  # fmt: skip
        assert Delivery.counts[rare] >= examples // 6, f"The run never reached {rare}."
