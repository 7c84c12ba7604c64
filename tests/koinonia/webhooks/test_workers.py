"""Crashed workers, several workers, and receivers that hold a worker up."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest
from django.db import transaction
from django.utils import timezone

from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import claim as claiming
from koinonia.webhooks import endpoints
from koinonia.webhooks.addresses import Reach
from koinonia.webhooks.claim import LEASE, claim
from koinonia.webhooks.posting import Poster
from koinonia.webhooks.settle import settle, switch_off
from tests.support.webhook_receiver import WebhookReceiver, answer
from tests.support.webhooks import Sender, deliveries, happen, posted_turn, webhook


def arrived(receiver: WebhookReceiver, number: int) -> bool:
    return len(receiver.received) >= number


def expire_leases() -> None:
    """Let the leases, and the pauses that end with them, be over."""
    then = timezone.now() - timedelta(seconds=1)
    WebhookCursor.objects.update(lease_until=then, next_at=then)


def test_a_worker_that_dies_between_post_and_result_loses_nothing(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1, 2)
    late = posted_turn(sender.poster)
    sender.idle()
    assert len(receiver.received) == 2, "The lease keeps other workers out."
    expire_leases()
    sender.idle()
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert sorted(ids) == sorted(2 * list(set(ids)))
    assert [one.attempts for one in deliveries(endpoint)] == [1, 1]
    assert settle(late, timezone.now()) is False
    assert [one.attempts for one in deliveries(endpoint)] == [1, 1]
    assert WebhookCursor.objects.get().seq == 2


def test_an_owner_who_switches_off_fences_off_the_worker_that_sends(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(410)
    happen(grace, 1)
    turn = posted_turn(sender.poster)
    endpoints.switch(endpoint, on=False, now=timezone.now())
    assert settle(turn, timezone.now()) is False
    endpoint.refresh_from_db()
    assert endpoint.off == WebhookEndpoint.Off.OWNER


def test_a_webhook_that_is_deleted_during_a_turn_stays_deleted(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    turn = posted_turn(sender.poster)
    assert endpoints.delete(endpoint, None)
    assert settle(turn, timezone.now()) is False
    assert not WebhookDelivery.objects.exists()


def test_a_lease_lasts_longer_than_the_longest_turn() -> None:
    from koinonia.webhooks.posting import CONNECT_SECONDS, TOTAL_SECONDS
    from koinonia.webhooks.turn import BUDGET_SECONDS

    assert timedelta(seconds=BUDGET_SECONDS + 3 * CONNECT_SECONDS + 2 * TOTAL_SECONDS) < LEASE


def test_two_workers_share_the_endpoints_and_send_each_event_once(
    grace: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    for name in ("Website", "Members", "Books"):
        webhook(grace, receiver.url, name=name)
    happen(grace, *range(120))
    other = Sender()

    def all_sent() -> bool:
        other.dispatcher.step()
        return WebhookDelivery.objects.count() == 3 * 120

    try:
        sender.until(all_sent)
        other.idle()
        sender.idle()
    finally:
        other.stop()
    assert len(receiver.received) == 3 * 120


def test_a_receiver_that_hangs_does_not_hold_up_another(
    grace: Church, hope: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    release = threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        release.wait(20)
        answer(200)(request)

    with WebhookReceiver(hang) as hanging:
        stuck = webhook(grace, hanging.url)
        happen(grace, *range(50))
        webhook(hope, receiver.url)
        sender.until(lambda: hanging.received)
        for number in range(5):
            happen(hope, number)
            sender.until(partial(arrived, receiver, number + 1))
        assert deliveries(stuck) == []
        release.set()
        sender.idle()
    assert len(deliveries(stuck)) == 50


def test_a_name_that_leads_to_this_machine_is_refused_at_the_post(
    grace: Church, receiver: WebhookReceiver
) -> None:
    endpoint = webhook(grace, receiver.url.replace("127.0.0.1", "localhost"))
    happen(grace, 1)
    posted = posted_turn(Poster(Reach.PUBLIC))
    settle(posted, timezone.now())
    (delivery,) = deliveries(endpoint)
    assert (delivery.state, delivery.error) == ("waiting", "host_refused")
    assert receiver.received == []


def test_events_of_a_time_are_sent_again_with_their_ids(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1, 2, 3)
    sender.idle()
    hour_ago = timezone.now() - timedelta(hours=1)
    assert endpoints.redeliver_since(endpoint, hour_ago, None, timezone.now()) == 3
    sender.idle()
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert len(ids) == 6
    assert len(set(ids)) == 3
    assert len(deliveries(endpoint)) == 3
    later = timezone.now() + timedelta(seconds=1)
    assert endpoints.redeliver_since(endpoint, later, None, timezone.now()) == 0


def test_a_worker_that_saw_an_endpoint_before_its_pause_does_not_claim_it_in_the_pause(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(3))
    before = timezone.now()
    sender.idle()
    assert WebhookCursor.objects.get().failures >= claiming.GATED_AFTER
    assert claiming._claim_one(endpoint.pk, before) is None


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_webhook_that_is_off_or_deleted_between_look_and_claim_is_left_alone(
    grace: Church, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch, is_deleted: bool
) -> None:
    happen(grace, 1)
    original = secrets.token_hex

    def act_first(size: int) -> str:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(off=WebhookEndpoint.Off.OWNER)
        if is_deleted:
            endpoints.delete(endpoint, None)
        return original(size)

    monkeypatch.setattr(secrets, "token_hex", act_first)
    assert claim(timezone.now(), 5) == []
    assert not WebhookCursor.objects.exclude(lease_token="").exists()


def test_an_owner_who_switches_off_a_failed_webhook_does_not_hide_why_it_is_off(
    grace: Church, endpoint: WebhookEndpoint
) -> None:
    seen = WebhookEndpoint.objects.get()
    switch_off(endpoint, WebhookEndpoint.Off.FAILING, timezone.now())
    with transaction.atomic():
        endpoints.switch(seen, on=False, now=timezone.now())
    endpoint.refresh_from_db()
    assert (endpoint.off, endpoint.owes_notice) == (WebhookEndpoint.Off.FAILING, True)
