"""Events of the log reach a real HTTP receiver."""

from __future__ import annotations

from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from koinonia.models import AuditEntry, Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints
from koinonia.webhooks.event_types import RESET
from realtime import log
from realtime.models import Event, Stream
from tests.support.webhook_receiver import WebhookReceiver, answer
from tests.support.webhooks import Sender, deliveries, happen, make_due, webhook

State = WebhookDelivery.State
Off = WebhookEndpoint.Off


def numbers(receiver: WebhookReceiver) -> list[int]:
    return [request.json["data"]["number"] for request in receiver.received]


def make_older(endpoint: WebhookEndpoint, age: timedelta) -> None:
    """Move the failures of the endpoint into the past."""
    then = timezone.now() - age
    WebhookCursor.objects.filter(pk=endpoint.pk).update(failing_since=then)
    WebhookDelivery.objects.filter(endpoint=endpoint).update(trying_since=then)


def test_an_event_arrives_signed_with_its_type_its_time_and_its_data(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    sender.idle()
    (request,) = receiver.received
    told = Webhook(endpoint.secret).verify(request.body, request.headers)
    event = Event.objects.get(type="message.received")
    assert told["type"] == "message.received"
    assert told["data"] == {"number": 1}
    assert told["timestamp"].startswith(f"{event.at:%Y-%m-%dT%H:%M:%S}")
    assert (told["church"], told["seq"]) == ("grace", event.seq)
    assert told["id"] == request.headers["webhook-id"]
    assert request.headers["content-type"] == "application/json"


def test_a_delivery_shows_what_the_receiver_answered(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    sender.idle()
    (delivery,) = deliveries(endpoint)
    assert (delivery.state, delivery.status, delivery.attempts) == (State.DELIVERED, 204, 1)
    assert delivery.seconds is not None
    assert delivery.tried_at is not None


def test_only_the_chosen_types_are_sent_and_only_events_after_the_making(
    grace: Church, hope: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    endpoint = webhook(grace, receiver.url, ["message.received"])
    happen(grace, 2, kind="note.created")
    happen(grace, 3)
    happen(hope, 4)
    sender.idle()
    assert numbers(receiver) == [3]
    assert WebhookCursor.objects.get(pk=endpoint.pk).seq == 3


def test_many_events_arrive_each_once(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, *range(250))
    sender.idle()
    assert sorted(numbers(receiver)) == list(range(250))
    assert len(deliveries(endpoint)) == 250


@pytest.mark.parametrize(("status", "error"), [(500, "status"), (302, "status"), (404, "status")])
def test_another_answer_than_2xx_is_tried_again_with_the_same_id(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender,
    status: int, error: str,
) -> None:  # fmt: skip
    receiver.handler = answer(status, b"Out of order", {"Location": receiver.url})
    happen(grace, 1)
    sender.idle()
    (delivery,) = deliveries(endpoint)
    assert (delivery.state, delivery.status, delivery.error) == (State.WAITING, status, error)
    assert delivery.excerpt == "Out of order"
    assert delivery.next_at is not None
    assert delivery.next_at > timezone.now()
    receiver.handler = answer(200)
    make_due(endpoint)
    sender.idle()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert deliveries(endpoint)[0].state == State.DELIVERED
    assert WebhookCursor.objects.get(pk=endpoint.pk).failing_since is None


def test_one_event_that_a_receiver_refuses_does_not_hold_up_the_others(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    def refuse_the_third(request: BaseHTTPRequestHandler) -> None:
        answer(500 if receiver.received[-1].json["data"]["number"] == 3 else 200)(request)

    receiver.handler = refuse_the_third
    for number in range(6):
        happen(grace, number)
        sender.idle()
    states = [delivery.state for delivery in deliveries(endpoint)]
    assert states.count(State.DELIVERED) == 5
    assert states[3] == State.WAITING


def test_a_dead_receiver_is_tried_with_one_event_at_a_time(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(100))
    sender.idle()
    before = len(receiver.received)
    assert before < 30
    make_due(endpoint)
    sender.idle()
    assert len(receiver.received) == before + 1
    receiver.handler = answer(200)
    make_due(endpoint)
    sender.idle()
    delivered = set(numbers(receiver)[before + 1 :])
    assert delivered == set(range(100))


def test_410_switches_the_webhook_off_at_once(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(410)
    happen(grace, 1)
    sender.idle()
    endpoint.refresh_from_db()
    assert (endpoint.off, endpoint.owes_notice) == (Off.GONE, True)
    entry = AuditEntry.objects.get(action="webhook.disabled")
    assert (entry.church, entry.user, entry.detail) == (grace, None, {"reason": "gone"})
    happen(grace, 2)
    sender.idle()
    assert len(receiver.received) == 1


def test_24_hours_without_a_success_switch_the_webhook_off(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(500)
    happen(grace, 1)
    sender.idle()
    make_older(endpoint, timedelta(hours=23))
    make_due(endpoint)
    sender.idle()
    endpoint.refresh_from_db()
    assert endpoint.enabled
    make_older(endpoint, timedelta(hours=24))
    make_due(endpoint)
    sender.idle()
    endpoint.refresh_from_db()
    assert (endpoint.off, endpoint.owes_notice) == (Off.FAILING, True)
    assert deliveries(endpoint)[0].state == State.FAILED


def test_switched_on_again_it_continues_where_it_stopped(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(410)
    happen(grace, 1)
    sender.idle()
    happen(grace, 2)
    receiver.handler = answer(200)
    endpoint.refresh_from_db()
    endpoints.switch(endpoint, on=True, now=timezone.now())
    sender.idle()
    assert sorted(numbers(receiver)) == [1, 1, 2]


def test_a_pruned_log_is_told_by_a_reset(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, *range(1, 6))
    Stream.objects.filter(key="church:grace").update(first_seq=4)
    Event.objects.filter(stream__key="church:grace", seq__lt=4).delete()
    sender.idle()
    by_type = {request.json["type"]: request.json for request in receiver.received}
    assert by_type[RESET]["data"]["reason"] == "pruned"
    assert by_type[RESET]["data"]["after"] == 3
    assert len(receiver.received) == 3


def test_a_restored_log_is_told_by_a_reset_and_goes_on(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    sender.idle()
    log.begin_epochs()
    happen(grace, 2)
    sender.idle()
    resets = [one.json for one in receiver.received if one.json["type"] == RESET]
    assert [reset["data"]["reason"] for reset in resets] == ["restored"]
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(set(ids)) == 3
    assert any(one.json["data"].get("number") == 2 for one in receiver.received)


def test_a_reset_that_could_not_be_told_is_told_later(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    log.begin_epochs()
    receiver.handler = answer(500)
    sender.idle()
    receiver.handler = answer(200)
    make_due(endpoint)
    sender.idle()
    delivered = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.DELIVERED)
    assert set(delivered.values_list("type", flat=True)) == {RESET, "message.received"}


def test_a_delivery_whose_event_was_pruned_is_lost(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(500)
    happen(grace, 1)
    sender.idle()
    Stream.objects.filter(key="church:grace").update(first_seq=2)
    Event.objects.filter(stream__key="church:grace").delete()
    make_due(endpoint)
    sender.idle()
    delivery, gap = deliveries(endpoint)
    assert (delivery.state, delivery.next_at) == (State.LOST, None)
    assert (gap.type, gap.state) == (RESET, State.WAITING)
    assert [one.json["type"] for one in receiver.received] == ["message.received", RESET]
    assert receiver.received[1].json["data"] == {
        "epoch": Stream.objects.get().epoch, "from": 1, "after": 1, "reason": "pruned",
    }  # fmt: skip


def test_the_body_of_an_event_is_not_kept_beside_the_log(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    happen(grace, 1)
    sender.idle()
    (delivery,) = deliveries(endpoint)
    assert (delivery.data, delivery.excerpt) == (None, "")
