"""A probe that waits for a thread, while another worker could send it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.accept import accept_batch
from delivery.drafts import Draft
from delivery.limits import breaker
from delivery.limits.breaker.permit import Permit, Tally
from delivery.limits.breaker.shared import SharedBreaker
from delivery.models import Message
from delivery.queue import rescue
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import HeldProvider, drain, write
from tests.delivery.redis_state import fresh
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[HeldProvider]:
    held = HeldProvider()
    yield held
    held.released.set()


@pytest.fixture
def worker(grace: Church, settings: Any) -> Drain:
    """Return a worker with one thread that never starts; the breaker was open and allows a probe."""
    fresh(settings, BREAKER_OPEN_SECONDS=0.2)
    threads = Threads(0)
    threads.size = 1
    write(grace)
    return Drain(threads)


def open_time_is_over() -> None:
    now = timezone.now()
    breaker.record(account(), breaker.ask(account(), now), Tally(10, 10), now)
    wait_until(lambda: another_worker().allowed)


def another_worker() -> Permit:
    """Return the breaker's answer to a second worker, which gives its permit back."""
    other = SharedBreaker(account())
    permit, _ = other.ask()
    if permit.probe:
        other.record(permit, Tally())
    return permit


def test_a_worker_does_not_withdraw_its_own_probe(worker: Drain, grace: Church) -> None:
    write(grace)
    open_time_is_over()
    assert worker.step()
    [probe] = worker.threads.in_flight.values()
    assert probe.permit is not None
    assert probe.permit.probe
    assert not another_worker().allowed


def test_a_worker_without_a_free_thread_leaves_the_probe_to_others(
    grace: Church, settings: Any, provider: HeldProvider
) -> None:
    fresh(settings, BREAKER_OPEN_SECONDS=0.2)
    worker = drain(provider, size=1)
    for _ in range(2):
        write(grace)
    worker.step()
    wait_until(lambda: provider.begun)
    open_time_is_over()
    write(grace)
    assert not worker.step(), "What waited for the thread goes back: it is no probe."
    with CaptureQueriesContext(connection) as queries:
        assert not worker.step()
    assert not [query for query in queries if "UPDATE" in query["sql"]]
    assert another_worker().allowed
    assert sorted(Message.objects.values_list("status", flat=True)) == ["queued"] * 2 + ["sending"]


def test_a_thread_that_is_kept_for_replies_is_not_free_for_the_probe_of_a_broadcast(
    grace: Church, settings: Any, provider: HeldProvider
) -> None:
    fresh(settings, BREAKER_OPEN_SECONDS=0.2)
    worker = drain(provider, size=8)
    _broadcast(grace, 7, batch=1)
    worker.step()
    wait_until(lambda: len(provider.begun) == 7)
    open_time_is_over()
    _broadcast(grace, 1, batch=2)
    assert not worker.step()
    assert another_worker().allowed


def _broadcast(church: Church, size: int, batch: int) -> None:
    drafts = [Draft(to=f"+1312556{number:04}", text="Hello") for number in range(size)]
    accept_batch(church, drafts, batch=batch, now=timezone.now())


def test_a_probe_that_lost_its_message_returns_the_permit(
    worker: Drain,
) -> None:
    open_time_is_over()
    worker.step()
    assert not another_worker().allowed
    rescue.rescue(timezone.now() + timedelta(minutes=1))
    Message.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=1))
    worker.clock = lambda: timezone.now() + timedelta(seconds=20)  # when a lease must be renewed
    worker.step()
    assert another_worker().allowed
    assert Message.objects.get().status == Status.QUEUED
