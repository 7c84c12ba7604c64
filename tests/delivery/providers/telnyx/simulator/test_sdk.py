"""The official SDK judges the simulator: it sends, reads, raises and verifies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import telnyx as sdk

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER, ApiClient
from tests.delivery.providers.telnyx.simulator.receiver import Receiver


def test_it_sends_and_retrieves(client: ApiClient) -> None:
    sent = client.sdk.messages.send(to=MEMBER, from_=CHURCH, text="Grüße aus Łódź").data
    assert sent is not None
    assert sent.id is not None
    assert (sent.encoding, sent.parts, sent.direction) == ("UCS-2", 1, "outbound")
    assert [(to.phone_number, to.status) for to in sent.to or []] == [(MEMBER, "queued")]
    assert sent.valid_until is not None
    assert sent.received_at is not None
    assert sent.valid_until - sent.received_at == timedelta(hours=1)
    client.wait_for_status(sent.id, "delivered")
    found = client.sdk.messages.retrieve(sent.id).data
    assert found is not None
    assert found.id == sent.id


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("40310", sdk.BadRequestError),
        ("20002", sdk.AuthenticationError),
        ("20012", sdk.PermissionDeniedError),
        ("10005", sdk.NotFoundError),
        ("40300", sdk.ConflictError),
        ("10027", sdk.UnprocessableEntityError),
        ("40333", sdk.RateLimitError),
        ("10007", sdk.InternalServerError),
        ("20100", sdk.APIStatusError),
        ("10008", sdk.APIStatusError),
    ],
)
def test_it_raises_the_exception_of_the_status(
    client: ApiClient, fault: str, error: type[sdk.APIStatusError]
) -> None:
    client.control("faults", fault=fault)
    with pytest.raises(error) as raised:
        client.sdk.messages.send(to=MEMBER, from_=CHURCH, text="Hello")
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["errors"][0]["code"] == fault


def test_a_dropped_answer_is_a_connection_error(client: ApiClient) -> None:
    client.control("faults", fault="drop")
    with pytest.raises(sdk.APIConnectionError):
        client.sdk.messages.send(to=MEMBER, from_=CHURCH, text="Hello")
    assert len(client.telnyx.ledger) == 1


def test_its_retries_without_a_key_make_doubles_and_with_one_none(client: ApiClient) -> None:
    retrying = client.sdk.with_options(max_retries=2)
    client.control("faults", fault="drop", count=1)
    retrying.messages.send(to=MEMBER, from_=CHURCH, text="Without")
    client.control("faults", fault="drop", count=1)
    retrying.messages.send(to=MEMBER, from_=CHURCH, text="With", idempotency_key="one")
    assert [entry.text for entry in client.telnyx.ledger.entries] == ["Without", "Without", "With"]
    assert client.ask("ledger/summary")["duplicates"] == {MEMBER: 1}


def test_it_schedules_and_cancels(client: ApiClient) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    scheduled = client.sdk.messages.schedule(to=MEMBER, from_=CHURCH, text="Later", send_at=at).data
    assert scheduled is not None
    assert scheduled.id is not None
    cancelled = client.sdk.messages.cancel_scheduled(scheduled.id)
    assert [to.status for to in cancelled.to or []] == ["cancelled"]
    with pytest.raises(sdk.PermissionDeniedError):
        client.sdk.messages.cancel_scheduled(scheduled.id)


def test_it_accepts_the_signature(client: ApiClient, receiver: Receiver) -> None:
    client.sdk.messages.send(to=MEMBER, from_=CHURCH, text="Hé", webhook_url=receiver.url())
    for webhook in receiver.wait_for(2):
        event = client.sdk.webhooks.unwrap(webhook.body.decode(), headers=webhook.headers)
        assert type(event).__name__ == "DeliveryUpdateWebhookEvent"


@pytest.mark.parametrize("fault", ["bad_signature", "stale_signature", "missing_signature"])
def test_it_rejects_a_signature_that_is_not_ours_and_now(
    client: ApiClient, receiver: Receiver, fault: str
) -> None:
    client.control("faults", fault=fault)
    client.post(webhook_url=receiver.url())
    for webhook in receiver.wait_for(2):
        with pytest.raises(ValueError, match=r"(?i)signature|timestamp|header"):
            client.sdk.webhooks.unwrap(webhook.body.decode(), headers=webhook.headers)


def test_it_reads_inbound_texts(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url("/profile"))
    client.control("inbound", **{"from": MEMBER, "to": CHURCH, "text": "Count me in"})
    [webhook] = receiver.wait_for(1)
    event = client.sdk.webhooks.unwrap(webhook.body.decode(), headers=webhook.headers)
    assert type(event).__name__ == "InboundMessageWebhookEvent"
    assert json.loads(webhook.body)["data"]["payload"]["text"] == "Count me in"


def test_a_wrong_key_is_not_let_in(telnyx: TelnyxSimulator) -> None:
    stranger = sdk.Telnyx(api_key="KEYwrong", base_url=telnyx.base, max_retries=0)
    with stranger, pytest.raises(sdk.AuthenticationError):
        stranger.messages.send(to=MEMBER, from_=CHURCH, text="Hello")
    assert len(telnyx.ledger) == 0
