from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from delivery.models import Message, WebhookEvent
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.webhooks.signing import event, inbound, outbound, post

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def at_once(call: object, times: int = THREADS) -> list[object]:
    barrier = Barrier(times)

    def run(_: int) -> object:
        barrier.wait()
        try:
            return call()  # type: ignore[operator]  # any callable
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_the_same_event_many_times_at_once_is_stored_once(grace: Church) -> None:
    body = event("message.sent", outbound("p1", "sent"))
    assert at_once(lambda: post(body).status_code) == [200] * THREADS
    assert WebhookEvent.objects.count() == 1


def test_workers_that_apply_at_once_apply_each_event_once(grace: Church) -> None:
    for number in range(60):
        post(event("message.received", inbound(f"in{number}", "Hello")))
    at_once(lambda: [apply_waiting_events(timezone.now(), limit=10) for _ in range(8)], 4)
    assert Message.objects.count() == 60
    assert not WebhookEvent.objects.waiting().exists()


def test_one_text_in_two_events_is_received_once_by_two_workers(grace: Church) -> None:
    for _ in range(10):
        post(event("message.received", inbound("in1", "STOP")))
    at_once(lambda: [apply_waiting_events(timezone.now(), limit=3) for _ in range(4)], 4)
    assert Message.objects.count() == 1
