"""Faults of an accepted text and of its webhooks."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from delivery.providers.telnyx.simulator.codes import ASYNCHRONOUS
from delivery.providers.telnyx.simulator.numbers import NUMBER_OF
from tests.delivery.providers.telnyx.simulator.api_client import ApiClient
from tests.delivery.providers.telnyx.simulator.receiver import Receiver, of_type
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("name", "status", "codes"),
    [
        ("delivery_unconfirmed", "delivery_unconfirmed", []),
        ("delivery_failed", "delivery_failed", ["40008"]),
        ("delivery_failed_bare", "delivery_failed", []),
        ("sending_failed", "sending_failed", ["40014"]),
        ("expired", "expired", ["40005"]),
        *((code, "delivery_failed", [code]) for code in ASYNCHRONOUS),
    ],
)
def test_each_end_and_its_errors(
    client: ApiClient, receiver: Receiver, name: str, status: str, codes: list[str]
) -> None:
    client.post(to=NUMBER_OF[name], webhook_url=receiver.url())
    [finalized] = receiver.wait_for(1, of_type("message.finalized"))
    assert finalized.status == status
    assert [error["code"] for error in finalized.payload["errors"]] == codes
    assert finalized.payload["completed_at"]


def test_a_text_that_cannot_be_handed_over_is_never_sent(
    client: ApiClient, receiver: Receiver
) -> None:
    client.post(to=NUMBER_OF["sending_failed"], webhook_url=receiver.url())
    [first] = receiver.wait_for(1)
    assert first.type == "message.finalized"


def test_duplicates_have_the_same_event_id(client: ApiClient, receiver: Receiver) -> None:
    client.post(to=NUMBER_OF["duplicated"], webhook_url=receiver.url())
    events = [webhook.event["id"] for webhook in receiver.wait_for(4)]
    assert sorted(events.count(one) for one in set(events)) == [2, 2]


def test_reordered_means_finalized_before_an_older_sent(
    client: ApiClient, receiver: Receiver
) -> None:
    client.post(to=NUMBER_OF["reordered"], webhook_url=receiver.url())
    finalized, sent = receiver.wait_for(2)
    assert (finalized.type, sent.type) == ("message.finalized", "message.sent")
    assert sent.status == "sent"
    assert sent.event["occurred_at"] <= finalized.event["occurred_at"]


def test_delayed_webhooks_come_that_much_later(client: ApiClient, receiver: Receiver) -> None:
    client.control("faults", fault="delayed", seconds=0.2)
    client.post(webhook_url=receiver.url())
    for webhook in receiver.wait_for(2):
        occurred = datetime.fromisoformat(webhook.event["occurred_at"])
        assert webhook.at - occurred >= timedelta(seconds=0.19)


def test_lost_webhooks_leave_only_the_question(client: ApiClient, receiver: Receiver) -> None:
    message = client.post(to=NUMBER_OF["lost"], webhook_url=receiver.url()).json()["data"]
    client.wait_for_status(message["id"], "delivered")
    _another_text_arrives(client, receiver)
    assert {one.payload["id"] for one in receiver.received}.isdisjoint({message["id"]})


def test_some_texts_stay_in_sent(client: ApiClient, receiver: Receiver) -> None:
    message = client.post(to=NUMBER_OF["no_finalized"], webhook_url=receiver.url()).json()["data"]
    receiver.wait_for(1)
    _another_text_arrives(client, receiver)
    mine = [one.type for one in receiver.received if one.payload["id"] == message["id"]]
    assert mine == ["message.sent"]
    assert client.status_of(message["id"]) == "sent"


def test_webhooks_can_come_before_the_answer(client: ApiClient, receiver: Receiver) -> None:
    message = client.post(to=NUMBER_OF["webhook_first"], webhook_url=receiver.url()).json()["data"]
    types = [one.type for one in receiver.received]
    assert types == ["message.sent", "message.finalized"]
    assert receiver.received[0].payload["id"] == message["id"]


def test_unknown_events_and_fields(client: ApiClient, receiver: Receiver) -> None:
    client.post(to=NUMBER_OF["unknown_event"], webhook_url=receiver.url())
    receiver.wait_for(1, of_type("message.pondered"))
    client.post(to=NUMBER_OF["unknown_field"], webhook_url=receiver.url())
    # The carrier delivers in parallel, so the order of arrival is open.
    odd = next(one for one in receiver.wait_for(5) if "mood" in one.payload)
    assert (odd.payload["mood"], odd.event["weather"]) == ("hopeful", {"wind": 3})


def test_cost_is_null_at_first(client: ApiClient, receiver: Receiver) -> None:
    answer = client.post(to=NUMBER_OF["cost_null"], webhook_url=receiver.url())
    assert answer.json()["data"]["cost"] is None
    [finalized] = receiver.wait_for(1, of_type("message.finalized"))
    assert finalized.payload["cost"]["currency"] == "USD"


def test_faults_of_answer_and_webhook_go_together(client: ApiClient, receiver: Receiver) -> None:
    client.control("faults", fault="delivery_failed", code="40002")
    client.control("faults", fault="broken_json")
    assert client.post(webhook_url=receiver.url()).content == b'{"data":{"id":"40'
    [finalized] = receiver.wait_for(1, of_type("message.finalized"))
    assert finalized.payload["errors"][0]["code"] == "40002"


def test_webhooks_can_be_turned_off(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", on=False)
    message = client.post(webhook_url=receiver.url()).json()["data"]
    client.wait_for_status(message["id"], "delivered")
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["lost"] == 2)
    assert receiver.received == []


def test_a_slow_answer_comes_after_its_webhooks(client: ApiClient, receiver: Receiver) -> None:
    client.control("faults", fault="slow", seconds=4)
    posting = threading.Thread(target=client.post, kwargs={"webhook_url": receiver.url()})
    posting.start()
    receiver.wait_for(2)
    assert posting.is_alive()
    posting.join()


def _another_text_arrives(client: ApiClient, receiver: Receiver) -> None:
    """Wait until every webhook in flight must have arrived."""
    other = client.post(webhook_url=receiver.url()).json()["data"]
    wait_until(
        lambda: [one.payload["id"] for one in tuple(receiver.received)].count(other["id"]) == 2
    )
