"""The whole engine on the real models, with events in any order, on a virtual clock."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from delivery import batches, dead_letters, opt_outs
from delivery.accept import accept_batch, accept_message
from delivery.cancel import cancel_message
from delivery.drafts import Draft
from delivery.limits import breaker, holds
from delivery.models import (
    Attempt,
    BreakerState,
    Message,
    OptOut,
    Outcome,
    Priority,
    WebhookEvent,
)
from delivery.providers.base import SendOutcome
from delivery.providers.telnyx.client import body
from delivery.queue import claim
from delivery.queue.turns import Turn
from delivery.sending.drain import Drain
from delivery.sending.jobs import Job
from delivery.settle import Result, settle
from delivery.statuses import DEAD_LETTERS, UNFINISHED, Status
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.redis_state import fresh
from tests.delivery.state_machine.answers import REFUSALS, REPORTS, store_event
from tests.delivery.state_machine.expected import Expected, Told
from tests.delivery.state_machine.held_threads import HeldThreads

NUMBERS = [f"+131255500{number:02}" for number in range(4)]
ANYONE = st.sampled_from(NUMBERS)
STOPPER = NUMBERS[-1]
"""Only this number sends STOP and START: otherwise every number would soon be opted out."""
NEVER_SENT = [Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED, Status.DEAD]
FAILURES = ["unavailable", "lost", "accepted_lost"]
HELD_BACK = ["throttled", "unpaid"]
ANSWER = st.sampled_from(["accepted", *FAILURES, *REFUSALS])

has_calls_in_flight = precondition(lambda self: self.threads.in_flight_by_id)


class Delivery(RuleBasedStateMachine):
    church: Church
    pytest_settings: Any
    counts: ClassVar[Counter[str]] = Counter()
    """Counted over all examples, to show that the rare events were reached."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Attempt, WebhookEvent, Message, OptOut):
            model.objects.all().delete()
        holds.end(account(), by="test", now=datetime.now(UTC))
        breaker.release(account(), by=None, now=datetime.now(UTC))
        self.redis = fresh(self.pytest_settings, BREAKER_OPEN_SECONDS=0.001)
        self.now = datetime.now(UTC)
        self.accepted: dict[str, str] = {}
        """The provider's ids of accepted sends, by Idempotency-Key."""
        self.keys: dict[tuple[int, int], set[tuple[str, bytes]]] = {}
        self.zombies: list[tuple[Job, SendOutcome]] = []
        self.lost_until: dict[int, datetime] = {}
        """Rows of dead workers: no other worker may claim them before these times."""
        self.expected = Expected()
        self.batches = 0
        self.start_worker()

    def start_worker(self) -> None:
        self.threads = HeldThreads(lambda: self.now, size=32)
        self.drain = Drain(self.threads, clock=lambda: self.now)

    # Actions of people

    @initialize()
    def begin(self) -> None:
        self.broadcast()

    @rule()
    def broadcast(self) -> None:
        self.batches += 1
        drafts = [Draft(to=to, text="Dear all") for to in NUMBERS]
        accept_batch(self.church, drafts, batch=self.batches, now=self.now)
        self.suppressed_are_those_who_stopped(batch=self.batches)

    @rule(to=ANYONE, later=st.sampled_from([0, 0, 30]), life=st.sampled_from([3, 20, 86_400]))
    def write(self, to: str, later: int, life: int) -> None:
        due = self.now + timedelta(seconds=later) if later else None
        expires = (due or self.now) + timedelta(seconds=life)
        message = accept_message(
            self.church, Draft(to=to, text="Hello"), scheduled_at=due, expires_at=expires,
            now=self.now,
        )  # fmt: skip
        self.suppressed_are_those_who_stopped(pk=message.pk)

    def suppressed_are_those_who_stopped(self, **which: int) -> None:
        for row in Message.objects.filter(**which):
            assert (row.status == Status.SUPPRESSED) == self.has_stopped(row.to_number)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        message = self.any_message(data)
        held = message.status == Status.SENDING
        if cancel_message(message, now=self.now):
            assert not held
            assert not self.provider_has(message)

    @has_calls_in_flight
    @rule()
    def cancel_messages_in_flight(self) -> None:
        for pk in self.threads.in_flight_by_id:
            assert not cancel_message(Message.objects.get(pk=pk), now=self.now)

    @rule()
    def cancel_ambiguous_messages(self) -> None:
        for row in self.rows().values():
            if (row.pk, row.generation) in self.expected.ambiguous:
                assert not cancel_message(row, now=self.now)

    @rule()
    def stop(self) -> None:
        opt_outs.opt_out(self.church.pk, STOPPER, OptOut.Source.KEYWORD, now=self.now)

    @rule(to=ANYONE)
    def start(self, to: str) -> None:
        opt_outs.opt_in(self.church.pk, to)

    @rule(may_double=st.booleans())
    def retry_dead_letters(self, may_double: bool) -> None:
        before = self.rows()
        letters = [row for row in before.values() if row.status in DEAD_LETTERS]
        result = dead_letters.retry(
            Message.objects.all(), by=None, now=self.now, may_double=may_double
        )
        after = self.rows()
        for row in letters:
            not_allowed = row.status == Status.UNKNOWN and not may_double
            refused = not_allowed or self.has_stopped(row.to_number)
            assert refused == (row.pk in dict(result.refused))
            self.expected.ordered_again(row, after[row.pk], refused=refused)

    @rule(state=st.sampled_from([BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED]))
    def force_the_breaker(self, state: BreakerState) -> None:
        breaker.force(account(), state, by=None, now=self.now)
        in_flight_by_id = set(self.threads.in_flight_by_id)
        self.claim()
        assert (
            state == BreakerState.FORCED_CLOSED
            or set(self.threads.in_flight_by_id) == in_flight_by_id
        )
        breaker.release(account(), by=None, now=self.now)

    # Actions of the worker and the provider

    @rule()
    def claim(self) -> None:
        before = self.threads.in_flight_by_id
        hold = holds.current(account(), self.now)
        self.drain.step()
        for pk, job in self.threads.in_flight_by_id.items():
            if pk in before:
                assert job is before[pk], "It was taken again while it was in flight."
            else:
                assert hold is None
                self.judge_claim(job)

    def judge_claim(self, job: Job) -> None:
        row = job.message
        assert not self.has_stopped(row.to_number), "Sent to someone who has opted out."
        assert row.next_attempt_at is not None
        assert row.next_attempt_at <= self.now
        assert row.expires_at is None or row.expires_at > self.now
        assert row.attempts == self.expected.attempts[(row.pk, row.generation)]
        assert self.lost_until.pop(row.pk, self.now) <= self.now, "Another may be sending it."
        made = self.keys.setdefault((row.pk, row.generation), set())
        made.add((job.text.idempotency_key, body(job.text)))

    @rule(data=st.data(), answer=ANSWER)
    def answer(self, data: st.DataObject, answer: str) -> None:
        self.claim()
        if self.threads.in_flight_by_id:
            self.settle({data.draw(st.sampled_from(sorted(self.threads.in_flight_by_id))): answer})

    @rule(answers=st.lists(st.sampled_from(["accepted", *FAILURES, *HELD_BACK]), max_size=5))
    def send(self, answers: list[str]) -> None:
        """Send all due messages, with the same answer to each call."""
        for answer in answers:
            self.claim()
            self.settle(dict.fromkeys(self.threads.in_flight_by_id, answer))
            self.now += timedelta(seconds=4)

    def settle(self, answers: Mapping[int, str]) -> None:
        jobs = {pk: self.threads.in_flight_by_id[pk] for pk in answers}
        outcomes = {pk: self.outcome(jobs[pk], answer) for pk, answer in answers.items()}
        before = self.rows()
        for pk, outcome in outcomes.items():
            self.threads.finish(pk, outcome)
        self.drain.settle(0)
        self.judge_answers(before, jobs, outcomes)
        if "unpaid" in answers.values():
            self.claim()
            holds.end(account(), by="the treasurer", now=self.now)

    def judge_answers(
        self,
        before: Mapping[int, Message],
        jobs: Mapping[int, Job],
        outcomes: Mapping[int, SendOutcome],
    ) -> None:
        after = self.rows()
        for pk, job in jobs.items():
            was, outcome = before[pk], outcomes[pk]
            if was.status == Status.SENDING and was.lease_token == job.message.lease_token:
                if self.lost_until.pop(pk, None):
                    self.expected.call_was_only_slow(was)
                probe = job.permit is not None and bool(job.permit.probe)
                self.expected.answered(after[pk], outcome, probe=probe, now=self.now)
            elif self.expected.settles_late(was, job.message.generation, outcome):
                assert after[pk].status == Status.ACCEPTED
                assert after[pk].provider_id == outcome.provider_id
                self.expected.attempts[(pk, was.generation)] = after[pk].attempts
            else:
                assert after[pk].status == was.status, "A worker wrote what it held no longer."
                assert after[pk].lease_token == was.lease_token
                assert was.status not in UNFINISHED or after[pk].attempts == was.attempts
                self.expected.attempts[(pk, was.generation)] = after[pk].attempts

    @has_calls_in_flight
    @rule(reached=st.booleans())
    def crash(self, reached: bool) -> None:
        rows = self.rows()
        for pk, job in self.threads.in_flight_by_id.items():
            outcome = self.outcome(job, "accepted") if reached else REFUSALS["unavailable"]
            self.zombies.append((job, outcome))
            if rows[pk].status == Status.SENDING:
                self.lost(rows[pk])
                self.expected.call_was_lost(rows[pk])
        self.start_worker()
        self.heal_the_breaker()

    @rule()
    def crash_before_the_call(self) -> None:
        for priority in Priority:
            for row in claim.claim(Turn(self.church.pk, priority, "telnyx"), 2, self.now):
                self.lost(row)

    @precondition(lambda self: self.zombies)
    @rule()
    def a_zombie_comes_back(self) -> None:
        job, outcome = self.zombies.pop()
        before = self.rows()
        settle([Result(job.message, outcome, self.now, 0.0, permit=job.permit)], self.now)
        self.judge_answers(before, {job.message.pk: job}, {job.message.pk: outcome})

    @precondition(lambda self: self.accepted)
    @rule(
        data=st.data(),
        status=st.sampled_from(sorted(REPORTS)),
        copies=st.integers(1, 2),
        age=st.sampled_from([0, 0, 5]),
    )
    def webhook(self, data: st.DataObject, status: str, copies: int, age: int) -> None:
        self.report(data.draw(st.sampled_from(list(self.accepted))), status, copies, age)

    @precondition(lambda self: self.accepted)
    @rule(
        data=st.data(),
        told=st.lists(
            st.tuples(st.sampled_from(sorted(REPORTS)), st.sampled_from([0, 5, 9])),
            min_size=2,
            max_size=4,
        ),
    )
    def webhooks_of_one_send(self, data: st.DataObject, told: list[tuple[str, int]]) -> None:
        key = data.draw(st.sampled_from(list(self.accepted)))
        for status, age in told:
            self.report(key, status, age=age)

    def report(self, key: str, status: str, copies: int = 1, age: int = 0) -> None:
        before = Message.objects.get(pk=int(key.split(":")[1]))
        values_before = Message.objects.filter(pk=before.pk).values().get()
        at = self.now - timedelta(seconds=age)
        for _ in range(copies):
            store_event(before, self.accepted[key], status, at=at, now=self.now)
        apply_waiting_events(self.now)
        if self.expected.comes_too_early(before, REPORTS[status]):
            assert Message.objects.filter(pk=before.pk).values().get() == values_before
            # A webhook may repeat: the provider can report an accepted message at any time.
            assert WebhookEvent.objects.waiting().delete()[0] == copies
            return
        assert not WebhookEvent.objects.waiting().exists()
        told = Told(self.accepted[key], REPORTS[status], at)
        self.expected.reported(before, Message.objects.get(pk=before.pk), told)

    @rule()
    def flush_redis(self) -> None:
        self.redis.flushall()

    @rule(seconds=st.sampled_from([0.1, 1, 2, 4, 31, 60]))
    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # Invariants

    @invariant()
    def one_generation_has_one_key_and_one_body(self) -> None:
        assert all(len(made) == 1 for made in self.keys.values())

    @invariant()
    def every_message_is_as_expected(self) -> None:
        taken = [int(key.split(":")[1]) for key in self.accepted]
        for row in Message.objects.all():
            self.expected.judge(row, taken.count(row.pk))

    @invariant()
    def the_counts_of_batches_equal_the_messages(self) -> None:
        numbers = range(1, self.batches + 1)
        counted = {batch: Counter[str]() for batch in numbers}
        for batch, status in Message.objects.filter(batch__in=numbers).values_list(
            "batch", "status"
        ):
            counted[batch or 0][status] += 1
        assert batches.counts_of(numbers) == {batch: dict(one) for batch, one in counted.items()}

    @invariant()
    def what_the_provider_has_is_never_called_unsent(self) -> None:
        unsent = Message.objects.filter(status__in=NEVER_SENT)
        assert not [message.pk for message in unsent if self.provider_has(message)]

    def teardown(self) -> None:
        """Check that every message ends once the provider answers normally."""
        breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
        for _ in range(12 + Message.objects.count() // 16):
            holds.end(account(), by="test", now=self.now)
            self.claim()
            self.settle(dict.fromkeys(self.threads.in_flight_by_id, "accepted"))
            self.now += timedelta(seconds=61)
        left = Message.objects.filter(status__in=UNFINISHED).values_list("status", flat=True)
        assert list(left) == []
        Delivery.counts += self.expected.counts
        self.redis.close()

    def heal_the_breaker(self) -> None:
        """Wait for the lease of a lost probe, which runs in real time."""
        breaker.force(account(), BreakerState.FORCED_CLOSED, by=None, now=self.now)
        breaker.release(account(), by=None, now=self.now)

    def outcome(self, job: Job, answer: str) -> SendOutcome:
        key = job.text.idempotency_key
        if answer in {"permanent", "stopped"} and key in self.accepted:
            answer = "accepted"  # the same key has the same answer
        if not answer.startswith("accepted"):
            return REFUSALS[answer]
        provider_id = self.accepted.setdefault(key, str(uuid.uuid4()))
        if answer == "accepted_lost":
            return REFUSALS["lost"]
        return SendOutcome(kind=Outcome.ACCEPTED, provider_id=provider_id, http_status=200)

    def lost(self, row: Message) -> None:
        assert row.lease_until is not None
        self.lost_until[row.pk] = row.lease_until

    def provider_has(self, message: Message) -> bool:
        mine = self.keys.get((message.pk, message.generation), set())
        return any(key in self.accepted for key, _ in mine)

    def has_stopped(self, number: str) -> bool:
        return OptOut.objects.filter(tenant_id=self.church.pk, number=number).exists()

    def rows(self) -> dict[int, Message]:
        return {row.pk: row for row in Message.objects.order_by("pk")}

    def any_message(self, data: st.DataObject) -> Message:
        return data.draw(st.sampled_from(list(self.rows().values())))
