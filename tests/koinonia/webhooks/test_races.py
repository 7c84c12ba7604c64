"""Two workers, and owners, act on one webhook at the same moment, each with a separate connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints
from koinonia.webhooks import settle as settling
from koinonia.webhooks.claim import claim, gather
from koinonia.webhooks.dispatcher import LANES_EACH
from koinonia.webhooks.settle import settle
from tests.support.races import at_once
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import WebhookReceiver, answer
from tests.support.webhooks import Sender, deliveries, happen, make_due, posted_turn, webhook

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite lets one writer in at a time."
    ),
]
State = WebhookDelivery.State
ROUNDS = 8


class Gate:
    """A receiver that holds its first request until ``open``, and then answers ``status``."""

    def __init__(self, receiver: WebhookReceiver, status: int = 204) -> None:
        self.entered, self.opened, self.status = threading.Event(), threading.Event(), status
        receiver.handler = self._handle

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        status = 204 if self.entered.is_set() else self.status
        self.entered.set()
        assert self.opened.wait(20)
        answer(status)(request)


@contextmanager
def working(*senders: Sender) -> Iterator[None]:
    """Let each sender run in a separate thread, as it runs in a separate process."""
    is_over = threading.Event()
    failures: list[BaseException] = []

    def work(sender: Sender) -> None:
        try:
            while not is_over.is_set():
                sender.dispatcher.step()
        except BaseException as failure:  # Raised again in the test.
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[sender]) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(20)
    assert failures == []


@pytest.fixture
def other() -> Iterator[Sender]:
    running = Sender()
    yield running
    running.stop()


def are_delivered(endpoint: WebhookEndpoint, number: int) -> Callable[[], bool]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.DELIVERED)
    return lambda: rows.count() == number


def in_a_thread(call: Callable[[], object]) -> threading.Thread:
    """Start the call in a thread with a separate connection, and return the thread."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_of_several_workers_one_claims_the_endpoint(
    grace: Church, endpoint: WebhookEndpoint
) -> None:
    happen(grace, 1)
    won: list[Any] = []
    for _ in range(ROUNDS):
        won.clear()
        WebhookCursor.objects.update(lease_token="", lease_until=None, next_at=None)
        at_once([lambda: won.extend(claim(timezone.now(), 1)) for _ in range(3)])
        assert len(won) == 1
        assert won[0].token == WebhookCursor.objects.get().lease_token


def test_two_workers_send_each_event_once_and_never_two_turns_of_a_webhook_at_a_time(
    grace: Church, receiver: WebhookReceiver, sender: Sender, other: Sender
) -> None:
    names = ["website", "members", "books"]
    made = [webhook(grace, f"{receiver.url}/{name}", name=name) for name in names]
    with working(sender, other):
        for start in range(0, 120, 20):
            happen(grace, *range(start, start + 20))
        for one in made:
            wait_until(are_delivered(one, 120), 60)
    for name in names:
        requests = [one for one in receiver.received if one.path.endswith(name)]
        order = [one.json["data"]["number"] for one in requests]
        assert sorted(order) == list(range(120))
        # At most LANES_EACH posts run at once, so an event overtakes fewer events than that.
        assert all(number - place < LANES_EACH for place, number in enumerate(order))


def test_a_claim_that_waits_for_the_owner_who_switches_off_claims_nothing(
    grace: Church, endpoint: WebhookEndpoint
) -> None:
    happen(grace, 1)
    won: list[Any] = []
    with transaction.atomic():
        endpoints.switch(endpoint, on=False, now=timezone.now())
        worker = in_a_thread(lambda: won.extend(claim(timezone.now(), 1)))
        wait_until(_somebody_waits)
    worker.join(20)
    assert won == []
    assert WebhookCursor.objects.get().lease_token == ""


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_worker_whose_lease_expires_while_it_writes_is_not_overtaken(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    happen(grace, 1, 2)
    turn = posted_turn(sender.poster)
    late = timezone.now() + timedelta(minutes=5)
    won: list[Any] = []
    original = settling._health

    def overtake(*given: Any) -> Any:
        """Let another worker claim, after this one has seen its token."""
        worker.append(in_a_thread(lambda: won.extend(claim(late, 1))))
        wait_until(lambda: _somebody_waits() or won)
        return original(*given)

    worker: list[threading.Thread] = []
    monkeypatch.setattr(settling, "_health", overtake)
    assert settle(turn, timezone.now())
    worker[0].join(20)
    assert [one.state for one in deliveries(endpoint)] == [State.DELIVERED, State.DELIVERED]
    assert WebhookCursor.objects.get().seq == 2
    assert [gather(one, late).items for one in won] in ([], [[]]), "Both events were sent already."


def test_after_a_lost_claim_the_same_id_is_posted_again_and_a_late_result_changes_nothing(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender, other: Sender
) -> None:  # fmt: skip
    gate = Gate(receiver, status=500)
    happen(grace, 1)
    with working(sender):
        assert gate.entered.wait(20)
        WebhookCursor.objects.update(
            lease_until=timezone.now() - timedelta(seconds=1), next_at=None
        )
        receiver.handler = answer(204)
        with working(other):
            wait_until(are_delivered(endpoint, 1))
        before = deliveries(endpoint)[0]
        gate.opened.set()
        wait_until(lambda: not sender.dispatcher.is_busy)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (after,) = deliveries(endpoint)
    assert (after.state, after.attempts, after.status) == (State.DELIVERED, 1, 204)
    assert after.tried_at == before.tried_at
    assert WebhookCursor.objects.get().failures == 0


@pytest.mark.parametrize("status", [204, 500])
def test_an_event_that_is_ordered_again_while_it_is_posted_is_posted_again(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender, status: int
) -> None:
    receiver.handler = answer(500)
    happen(grace, 1)
    sender.idle()
    gate = Gate(receiver, status)
    make_due(endpoint)
    with working(sender):
        assert gate.entered.wait(20)
        endpoints.redeliver(deliveries(endpoint)[0], None, timezone.now())
        gate.opened.set()
        wait_until(lambda: len(receiver.received) == 3)
        wait_until(are_delivered(endpoint, 1))
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert deliveries(endpoint)[0].attempts == 3


def test_a_test_that_is_ordered_during_a_failing_post_does_not_wait_for_the_pause(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(3))
    sender.idle()
    gate = Gate(receiver, 503)
    make_due(endpoint)
    with working(sender):
        assert gate.entered.wait(20)
        test = endpoints.test(endpoint, None, timezone.now())
        gate.opened.set()
        rows = WebhookDelivery.objects.filter(pk=test.pk, state=State.DELIVERED)
        wait_until(rows.exists)


def test_events_that_are_ordered_again_during_a_turn_are_all_sent_again(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, *range(5))
    sender.idle()
    gate = Gate(receiver)
    happen(grace, 5)
    with working(sender):
        assert gate.entered.wait(20)
        hour_ago = timezone.now() - timedelta(hours=1)
        assert endpoints.redeliver_since(endpoint, hour_ago, None, timezone.now()) == 5
        gate.opened.set()
        wait_until(are_delivered(endpoint, 6))
    times = [one.json["data"]["number"] for one in receiver.received]
    assert {number: times.count(number) for number in times} == dict.fromkeys(range(6), 2)
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 6


def test_a_secret_that_is_rotated_during_a_post_signs_the_next_one(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    gate = Gate(receiver)
    happen(grace, 1)
    with working(sender):
        assert gate.entered.wait(20)
        rotated = endpoints.rotate(endpoint, None, timezone.now())
        happen(grace, 2)
        gate.opened.set()
        wait_until(are_delivered(endpoint, 2))
    first, second = receiver.received
    Webhook(endpoint.secret).verify(first.body, first.headers)
    for secret in (endpoint.secret, rotated.secret):
        Webhook(secret).verify(second.body, second.headers)


def test_a_receiver_that_knows_the_new_secret_only_gets_every_event_in_the_end(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    gate = Gate(receiver, 401)
    happen(grace, 1)
    with working(sender):
        assert gate.entered.wait(20)
        secret = endpoints.rotate(endpoint, None, timezone.now()).secret

        def verify(request: BaseHTTPRequestHandler) -> None:
            try:
                Webhook(secret).verify(receiver.received[-1].body, receiver.received[-1].headers)
            except WebhookVerificationError:
                answer(401)(request)
            else:
                answer(204)(request)

        receiver.handler = verify
        gate.opened.set()
        wait_until(lambda: [one.status for one in deliveries(endpoint)] == [401])
        make_due(endpoint)
        wait_until(are_delivered(endpoint, 1))


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_webhook_that_is_switched_off_or_deleted_gets_no_more_posts_of_an_open_turn(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender,
    is_deleted: bool,
) -> None:  # fmt: skip
    gate = Gate(receiver)
    happen(grace, *range(100))
    with working(sender):
        assert gate.entered.wait(20)
        if is_deleted:
            assert endpoints.delete(endpoint, None)
        else:
            with transaction.atomic():
                endpoints.switch(endpoint, on=False, now=timezone.now())
        (turn,) = sender.dispatcher._running.values()
        wait_until(lambda: turn._is_lost)
        gate.opened.set()
        wait_until(lambda: not sender.dispatcher.is_busy)
    assert len(receiver.received) <= LANES_EACH
    assert not WebhookDelivery.objects.exists()
    if not is_deleted:
        assert WebhookCursor.objects.get().seq == 0, "Switched on, it gets all events."
