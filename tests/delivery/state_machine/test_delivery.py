"""The whole engine on the real models, in any order of events, on a virtual clock."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from delivery import breaker, dead_letters, holds, opt_outs
from delivery.accept import accept_batch, accept_message
from delivery.cancel import cancel_message
from delivery.drafts import Draft
from delivery.models import (
    Attempt,
    BreakerState,
    Message,
    OptOut,
    Outcome,
    WebhookEvent,
)
from delivery.references import reference
from delivery.sending.drain import Drain
from delivery.sending.provider import Verdict
from delivery.settle import Result, settle
from delivery.statuses import UNFINISHED, Status
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.redis_of_the_test import fresh
from tests.delivery.state_machine.held_threads import HeldThreads

NUMBERS = [f"+131255500{number:02}" for number in range(3)]
NEVER_SENT = [Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED, Status.DEAD]
RANK = {Status.ACCEPTED: 1, Status.SENT: 2, Status.DELIVERED: 3}

V = Verdict
REFUSALS = {
    "unavailable": V(outcome=Outcome.RETRYABLE, code="10037", http_status=503),
    "lost": V(outcome=Outcome.AMBIGUOUS, code="answer_lost", reached=False),
    "permanent": V(outcome=Outcome.PERMANENT, code="40310", http_status=400),
    "stopped": V(outcome=Outcome.PERMANENT, code="40300", opted_out=True),
    "sender": V(outcome=Outcome.CONFIGURATION, code="40305"),
    "unpaid": V(outcome=Outcome.CONFIGURATION, code="20100", whole_account=True, hold=True),
    "throttled": V(outcome=Outcome.THROTTLED, code="10011", whole_account=True, retry_after=0.001),
}


class Delivery(RuleBasedStateMachine):
    church: Church
    pytest_settings: Any

    def __init__(self) -> None:
        super().__init__()
        for model in (Attempt, WebhookEvent, Message, OptOut):
            model.objects.all().delete()
        holds.end(by="test", now=datetime.now(UTC))
        breaker.release(by=None, now=datetime.now(UTC))
        self.redis = fresh(self.pytest_settings, BREAKER_OPEN_SECONDS=0.001)
        self.now = datetime.now(UTC)
        self.accepted: dict[str, str] = {}
        """What the provider took: its id by Idempotency-Key."""
        self.keys: dict[tuple[int, int], set[tuple[str, bytes]]] = {}
        self.zombies: list[Result] = []
        self.ranks: dict[int, int] = {}
        self.batches = 0
        self.start_worker()

    def start_worker(self) -> None:
        self.threads = HeldThreads(lambda: self.now)
        self.drain = Drain(self.threads, clock=lambda: self.now)

    # What people do

    @rule(to=st.sampled_from(NUMBERS), later=st.sampled_from([0, 0, 30]))
    def write(self, to: str, later: int) -> None:
        due = self.now + timedelta(seconds=later) if later else None
        accept_message(self.church, Draft(to=to, text="Hello"), scheduled_at=due, now=self.now)

    @rule()
    def broadcast(self) -> None:
        self.batches += 1
        drafts = [Draft(to=to, text="Dear all") for to in NUMBERS]
        accept_batch(self.church, drafts, batch=self.batches, now=self.now)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        message = self.any_message(data)
        if message is not None and cancel_message(message, now=self.now):
            assert not self.provider_has(message)

    @rule(to=st.sampled_from(NUMBERS))
    def opt_out(self, to: str) -> None:
        opt_outs.opt_out(self.church.pk, to, OptOut.Source.KEYWORD, now=self.now)

    @rule(to=st.sampled_from(NUMBERS))
    def opt_in(self, to: str) -> None:
        opt_outs.opt_in(self.church.pk, to)

    @rule()
    def retry_dead_letters(self) -> None:
        dead_letters.retry(Message.objects.all(), by=None, now=self.now)

    @rule(state=st.sampled_from([BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED, None]))
    def order_the_breaker(self, state: BreakerState | None) -> None:
        if state is None:
            breaker.release(by=None, now=self.now)
        else:
            breaker.force(state, by=None, now=self.now)

    @rule()
    def pay(self) -> None:
        holds.end(by="the treasurer", now=self.now)

    # What the worker and the provider do

    @rule()
    def claim(self) -> None:
        before = set(self.threads.in_flight)
        self.drain.step()
        for pk, job in self.threads.in_flight.items():
            if pk in before:
                continue
            stopped = opt_outs.opted_out(self.church.pk, [job.message.to_number])
            assert not stopped, "A text was sent to someone who has opted out."
            made = self.keys.setdefault((pk, job.message.generation), set())
            made.add((job.request.idempotency_key, job.request.body))

    @rule(data=st.data(), answer=st.sampled_from(["accepted", "accepted_lost", *REFUSALS]))
    def answer(self, data: st.DataObject, answer: str) -> None:
        if self.threads.in_flight:
            pk = data.draw(st.sampled_from(sorted(self.threads.in_flight)))
            self.threads.land(pk, self.verdict(pk, answer))
            self.drain.settle(0)

    @rule(answer=st.sampled_from(["accepted", "accepted_lost", "lost", "unavailable"]))
    def send_all(self, answer: str) -> None:
        self.claim()
        for pk in list(self.threads.in_flight):
            self.threads.land(pk, self.verdict(pk, answer))
        self.drain.settle(0)

    @rule(reached=st.booleans())
    def crash(self, reached: bool) -> None:
        for pk, job in self.threads.in_flight.items():
            verdict = self.verdict(pk, "accepted") if reached else REFUSALS["unavailable"]
            self.zombies.append(Result(job.message, verdict, self.now, 0.0))
        self.start_worker()

    @rule()
    def a_zombie_comes_back(self) -> None:
        if self.zombies:
            settle([self.zombies.pop()], self.now)

    @rule(
        data=st.data(),
        status=st.sampled_from(["sent", "delivered", "delivery_failed", "delivery_unconfirmed"]),
        copies=st.integers(1, 2),
    )
    def webhook(self, data: st.DataObject, status: str, copies: int) -> None:
        if not self.accepted:
            return
        key = data.draw(st.sampled_from(sorted(self.accepted)))
        message = Message.objects.get(pk=int(key.split(":")[1]))
        for _ in range(copies):
            self.store_event(message, self.accepted[key], status)
        apply_waiting_events(self.now)

    @rule()
    def flush_redis(self) -> None:
        self.redis.flushall()

    @rule(seconds=st.sampled_from([0.1, 1, 2, 4, 31, 60]))
    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # What must always be so

    @invariant()
    def one_generation_has_one_key_and_one_body(self) -> None:
        assert all(len(made) == 1 for made in self.keys.values())

    @invariant()
    def nothing_is_tried_more_than_four_times(self) -> None:
        assert not Message.objects.filter(attempts__gt=4).exists()

    @invariant()
    def ranks_never_fall(self) -> None:
        for pk, status in Message.objects.values_list("pk", "status"):
            rank = RANK.get(Status(status), 0)
            assert rank >= self.ranks.get(pk, 0) or rank == 0
            self.ranks[pk] = rank

    @invariant()
    def what_the_provider_has_is_never_called_unsent(self) -> None:
        unsent = Message.objects.filter(status__in=NEVER_SENT)
        assert not [message.pk for message in unsent if self.provider_has(message)]

    def teardown(self) -> None:
        """Left alone with a healthy provider, everything ends."""
        breaker.release(by=None, now=self.now)
        for _ in range(12):
            holds.end(by="test", now=self.now)
            self.claim()
            for pk in list(self.threads.in_flight):
                self.threads.land(pk, self.verdict(pk, "accepted"))
            self.drain.settle(0)
            self.now += timedelta(seconds=61)
        left = Message.objects.filter(status__in=UNFINISHED).values_list("status", flat=True)
        assert list(left) == []
        self.redis.close()

    # How it is done

    def verdict(self, pk: int, answer: str) -> Verdict:
        key = self.threads.in_flight[pk].request.idempotency_key
        if answer in {"permanent", "stopped"} and key in self.accepted:
            answer = "accepted"  # what was taken is answered again in the same way
        if not answer.startswith("accepted"):
            return REFUSALS[answer]
        provider_id = self.accepted.setdefault(key, str(uuid.uuid4()))
        if answer == "accepted_lost":
            return REFUSALS["lost"]
        return Verdict(outcome=Outcome.ACCEPTED, provider_id=provider_id, http_status=200)

    def provider_has(self, message: Message) -> bool:
        mine = self.keys.get((message.pk, message.generation), set())
        return any(key in self.accepted for key, _ in mine)

    def any_message(self, data: st.DataObject) -> Message | None:
        ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        return Message.objects.get(pk=data.draw(st.sampled_from(ids))) if ids else None

    def store_event(self, message: Message, provider_id: str, status: str) -> None:
        kind = "message.sent" if status == "sent" else "message.finalized"
        payload = {
            "id": provider_id, "direction": "outbound", "record_type": "message",
            "from": {"phone_number": message.from_number}, "errors": [],
            "to": [{"phone_number": message.to_number, "status": status}],
        }  # fmt: skip
        event_id = str(uuid.uuid4())
        event = {
            "event_type": kind, "id": event_id, "record_type": "event",
            "occurred_at": self.now.isoformat(), "payload": payload,
        }  # fmt: skip
        with transaction.atomic():
            WebhookEvent.objects.create(
                event_id=event_id, event_type=kind, provider_id=provider_id,
                ref=reference(message.pk), occurred_at=self.now, received_at=self.now,
                due_at=self.now, payload=event,
            )  # fmt: skip


def run(church: Church, pytest_settings: Any, examples: int, steps: int) -> None:
    Delivery.church, Delivery.pytest_settings = church, pytest_settings
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
def test_no_order_of_events_loses_or_doubles_a_text(grace: Church, settings: Any) -> None:
    run(grace, settings, examples=30, steps=50)
