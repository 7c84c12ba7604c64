"""Jobs that wait for a thread: a worker claims more than it has threads, and can return waiting
jobs."""

from __future__ import annotations

import threading

import pytest
from django.utils import timezone

from delivery.accept import accept_batch
from delivery.drafts import Draft
from delivery.limits import breaker
from delivery.models import BreakerState, Message, Outcome, Priority
from delivery.providers.base import SendOutcome
from delivery.sending.jobs import Job, Jobs
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import LOST, UNAVAILABLE, HeldProvider, drain, write
from tests.delivery.providers.texts import outbound
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def broadcast(church: Church, size: int) -> None:
    drafts = [Draft(to=f"+1312556{number:04}", text="Hello") for number in range(size)]
    accept_batch(church, drafts, batch=1, now=timezone.now())


def job(church: Church, priority: Priority) -> Job:
    return Job(Message(tenant=church, priority=priority), outbound())


def test_replies_are_claimed_before_older_bulk(grace: Church) -> None:
    waiting, bulk, reply = Jobs(), job(grace, Priority.BULK), job(grace, Priority.REPLY)
    waiting.put([bulk, reply])
    assert [waiting.take(), waiting.take()] == [reply, bulk]


def test_a_reply_goes_while_every_thread_for_bulk_is_busy(
    grace: Church, provider: HeldProvider
) -> None:
    broadcast(grace, 40)
    worker = drain(provider, size=8)
    worker.step()
    wait_until(lambda: len(provider.begun) == 7)
    reply = write(grace, to="+13125550099")
    worker.step()
    wait_until(lambda: len(provider.begun) == 8)
    assert provider.begun[-1].message_id == reply.pk


@pytest.mark.parametrize(
    "pause",
    [UNAVAILABLE, LOST, SendOutcome(kind=Outcome.THROTTLED, code="40318", retry_after=120)],
    ids=["unavailable", "answer lost", "throttled"],
)
def test_after_a_failed_call_breaker_and_pace_are_checked_before_the_next(
    grace: Church, provider: HeldProvider, pause: SendOutcome
) -> None:
    for _ in range(2):
        write(grace)
    provider.answers(pause)
    worker = drain(provider, size=1)
    worker.step()
    wait_until(lambda: provider.begun)
    assert set(Message.objects.values_list("status", flat=True)) == {Status.SENDING}
    breaker.force(account(), BreakerState.FORCED_OPEN, by=None, reason="test", now=timezone.now())

    provider.released.set()
    worker.settle(30)

    assert not worker.step()
    [begun] = provider.begun
    waiting = Message.objects.exclude(pk=begun.message_id).get()
    assert (waiting.status, waiting.claims, waiting.call_started_at) == (Status.QUEUED, 0, None)
    assert not worker.threads.in_flight


def test_an_open_breaker_withdraws_jobs_without_a_thread(
    grace: Church, provider: HeldProvider
) -> None:
    broadcast(grace, 3)
    worker = drain(provider, size=2)
    worker.step()
    wait_until(lambda: len(provider.begun) == 2)
    write(grace)
    breaker.force(account(), BreakerState.FORCED_OPEN, by=None, reason="test", now=timezone.now())

    assert not worker.step()

    begun = {request.message_id for request in provider.begun}
    waiting = Message.objects.exclude(pk__in=begun)
    assert set(waiting.values_list("status", "claims")) == {(Status.QUEUED, 0)}
    assert {job.message.pk for job in worker.threads.in_flight.values()} == begun


def test_a_stopping_worker_returns_jobs_without_a_thread(
    grace: Church, provider: HeldProvider
) -> None:
    broadcast(grace, 2)
    worker = drain(provider, size=1)
    worker.step()
    wait_until(lambda: provider.begun)
    threading.Timer(0.1, provider.released.set).start()
    worker.stopping = lambda: True
    worker.run()
    assert sorted(Message.objects.values_list("status", "claims")) == [
        (Status.ACCEPTED, 0), (Status.QUEUED, 0),
    ]  # fmt: skip
    assert len(provider.accepted) == 1


def test_a_drain_at_its_time_budget_leaves_its_calls_in_flight(
    grace: Church, provider: HeldProvider
) -> None:
    broadcast(grace, 3)
    worker = drain(provider, size=1)
    worker.run(budget=0.1)
    assert worker.unfinished
    assert not provider.accepted
    assert set(Message.objects.values_list("status", flat=True)) == {Status.SENDING}
    provider.released.set()
    worker.run()
    assert set(Message.objects.values_list("status", "calls")) == {(Status.ACCEPTED, 1)}
