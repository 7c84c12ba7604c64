"""A worker that was paused for longer than its leases, and claims the same messages again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery.models import Message
from delivery.queue import rescue
from delivery.sending.drain import Drain
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.engine.scripted import UNAVAILABLE, HeldProvider, drain, write
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=1)


@pytest.fixture
def worker(grace: Church, provider: HeldProvider) -> Drain:
    """Return a worker with one busy thread and one waiting message, both with expired leases."""
    worker = drain(provider, size=1)
    for number in range(2):
        write(grace, to=f"+1312555000{number}")
    worker.step()
    wait_until(lambda: provider.begun)
    rescue.rescue(timezone.now() + LATER)
    return worker


def test_a_message_claimed_twice_is_returned_twice(worker: Drain, provider: HeldProvider) -> None:
    worker.step()
    provider.answers(UNAVAILABLE)
    provider.released.set()

    worker.settle(30)

    assert set(Message.objects.values_list("status", "claims")) == {(Status.QUEUED, 1)}
    assert not worker.threads.in_flight


def test_the_answer_to_its_first_call_does_not_end_its_second(
    worker: Drain, provider: HeldProvider
) -> None:
    worker.step()
    assert len(worker.threads.in_flight) == 4
    provider.released.set()
    worker.run()
    assert set(Message.objects.values_list("status", flat=True)) == {Status.ACCEPTED}
    assert not worker.threads.in_flight


def test_a_lost_job_without_a_thread_is_not_sent(worker: Drain, provider: HeldProvider) -> None:
    Message.objects.update(next_attempt_at=timezone.now() + LATER)
    [first] = provider.begun
    worker.clock = lambda: timezone.now() + timedelta(seconds=20)  # when a lease must be renewed
    worker.step()

    assert [job.text for job in worker.threads.in_flight.values()] == [first]
    provider.released.set()
    worker.run()
    assert provider.begun == [first]
