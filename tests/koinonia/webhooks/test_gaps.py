"""A webhook is dead while the log deletes its events: the receiver is told which it has missed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints
from koinonia.webhooks.event_types import RESET
from realtime.models import Event
from tests.support.webhook_receiver import WebhookReceiver, answer
from tests.support.webhooks import Sender, deliveries, happen, make_due

State = WebhookDelivery.State


def let_events_expire(last: int) -> None:
    """Let the nightly prune delete the events up to the number ``last``."""
    Event.objects.filter(seq__lte=last).update(at=timezone.now() - timedelta(days=8))
    call_command("prune")


def resets(receiver: WebhookReceiver) -> list[dict[str, Any]]:
    return [one.json["data"] for one in receiver.received if one.json["type"] == RESET]


def test_a_receiver_that_is_back_is_told_of_all_events_that_the_log_has_deleted(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(1, 6))
    sender.idle()
    happen(grace, *range(6, 11))
    let_events_expire(8)
    receiver.handler = answer(200)
    before = len(receiver.received)
    make_due(endpoint)
    sender.idle()
    told = [one.json for one in receiver.received[before:]]
    assert {one["data"]["number"] for one in told if one["type"] != RESET} == {9, 10}
    (gap, *more) = [one["data"] for one in told if one["type"] == RESET]
    assert more == []
    assert (gap["after"], gap["reason"]) == (8, "pruned")
    assert gap["from"] <= 6
    rows = deliveries(endpoint)
    assert {one.state for one in rows if one.type != RESET and one.seq and one.seq <= 8} == {
        State.LOST
    }


def test_one_reset_tells_of_several_lost_deliveries(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(422)
    for number in (1, 2):
        happen(grace, number)
        sender.idle()
    let_events_expire(2)
    receiver.handler = answer(200)
    for _ in range(2):
        make_due(endpoint)
        sender.idle()
    assert [(one["from"], one["after"]) for one in resets(receiver)] == [(1, 2)]


def test_a_gap_that_the_receiver_did_not_take_is_told_until_it_does(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, 1)
    sender.idle()
    let_events_expire(1)
    make_due(endpoint)
    sender.idle()
    receiver.handler = answer(200)
    make_due(endpoint)
    sender.idle()
    ids = [one.headers["webhook-id"] for one in receiver.received if one.json["type"] == RESET]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert WebhookDelivery.objects.get(type=RESET).state == State.DELIVERED


def test_a_webhook_that_was_off_for_longer_than_the_log_lasts_gets_the_rest_and_a_reset(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    endpoints.switch(endpoint, on=False, now=timezone.now())
    happen(grace, *range(1, 5))
    let_events_expire(3)
    endpoints.switch(endpoint, on=True, now=timezone.now())
    sender.idle()
    assert [(one["from"], one["after"]) for one in resets(receiver)] == [(1, 3)]
    assert {one.json["data"].get("number") for one in receiver.received} == {None, 4}
    assert WebhookCursor.objects.get().seq == 4


def test_a_webhook_that_failed_for_24_hours_gets_every_event_once_it_is_on_again(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(1, 6))
    sender.idle()
    then = timezone.now() - timedelta(hours=24)
    WebhookCursor.objects.update(failing_since=then)
    WebhookDelivery.objects.update(trying_since=then)
    make_due(endpoint)
    sender.idle()
    endpoint.refresh_from_db()
    assert endpoint.off == WebhookEndpoint.Off.FAILING
    assert State.FAILED in {one.state for one in deliveries(endpoint)}
    receiver.handler = answer(204)
    before = len(receiver.received)
    endpoints.switch(endpoint, on=True, now=timezone.now())
    sender.idle()
    again = {one.json["data"]["number"] for one in receiver.received[before:]}
    assert again == set(range(1, 6))


def test_a_new_address_is_tried_at_once_with_the_events_that_wait(
    owner: APIClient, grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:  # fmt: skip
    receiver.handler = answer(503)
    happen(grace, *range(1, 5))
    sender.idle()
    with WebhookReceiver() as repaired:
        path = f"/api/v1/churches/grace/webhooks/{endpoint.mark}/"
        assert owner.patch(path, {"url": repaired.url}, format="json").status_code == 200
        sender.idle()
        assert sorted(one.json["data"]["number"] for one in repaired.received) == [1, 2, 3, 4]
    assert owner.get(path).json()["failing_since"] is None


@pytest.mark.parametrize("hours", [1, 100])
def test_events_that_are_sent_again_do_not_hide_a_restore(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender, hours: int
) -> None:
    from realtime import log

    happen(grace, 1)
    sender.idle()
    log.begin_epochs()
    since = timezone.now() - timedelta(hours=hours)
    endpoints.redeliver_since(endpoint, since, None, timezone.now())
    sender.idle()
    assert [one["reason"] for one in resets(receiver)] == ["restored"]
