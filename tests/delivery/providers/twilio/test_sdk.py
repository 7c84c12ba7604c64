"""The official SDK is the judge: it creates, fetches, lists, raises and verifies."""

from __future__ import annotations

from itertools import islice

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from delivery.providers.twilio.signature import RETRY_OVERRIDES
from delivery.providers.twilio.simulator import TwilioSimulator
from tests.delivery.providers.twilio.api_client import MEMBER, SENDER, ApiClient, Receiver, sdk_for


def test_it_creates_and_fetches(client: ApiClient) -> None:
    sent = client.send(body="Grüße aus Łódź")
    assert (sent.status, sent.num_segments, sent.direction) == ("queued", "1", "outbound-api")
    assert (sent.to, sent.from_, sent.body) == (MEMBER, SENDER, "Grüße aus Łódź")
    assert (sent.price, sent.error_code, sent.date_sent) == (None, None, None)
    assert sent.date_created.tzinfo is not None
    client.wait_for_status(sent.sid, "delivered")
    found = client.sdk.messages(sent.sid).fetch()
    assert (found.sid, found.price) == (sent.sid, "-0.00750")
    assert found.date_sent is not None


def test_the_account_and_its_token_open_the_api_too(client: ApiClient) -> None:
    credentials = client.twilio.credentials
    sdk = sdk_for(client.twilio, credentials.account_sid, credentials.auth_token)
    assert sdk.messages.create(to=MEMBER, from_=SENDER, body="Hello").sid.startswith("SM")


def test_it_lists_newest_first_over_several_pages(client: ApiClient) -> None:
    for number in range(7):
        client.send(body=f"Text {number}")
    client.send(to="+13125550003", body="To another")
    found = client.sdk.messages.list(to=MEMBER, from_=SENDER, page_size=3)
    assert [one.body for one in found] == [f"Text {number}" for number in range(6, -1, -1)]
    first = list(islice(client.sdk.messages.stream(page_size=2), 3))
    assert [one.body for one in first] == ["To another", "Text 6", "Text 5"]


def test_it_lists_by_the_day_of_sending(client: ApiClient) -> None:
    sent = client.send()
    client.wait_for_status(sent.sid, "delivered")
    day = client.sdk.messages(sent.sid).fetch().date_sent.date()
    assert len(client.sdk.messages.list(date_sent=day)) == 1
    assert len(client.sdk.messages.list(date_sent_after=day)) == 1
    assert len(client.sdk.messages.list(date_sent_before=day)) == 1
    assert client.sdk.messages.list(date_sent="2020-01-01") == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("20003", 401, 20003),
        ("20403", 403, 20403),
        ("20429", 429, 20429),
        ("20500", 500, 20500),
        ("21211", 400, 21211),
        ("21610", 400, 21610),
        ("503", 503, 20503),
        # The SDK uses the HTTP status as the code if the body is HTML.
        ("502_html", 502, 502),
    ],
)
def test_it_raises_the_error_of_a_refusal(
    client: ApiClient, fault: str, status: int, code: int
) -> None:
    client.control("faults", fault=fault)
    with pytest.raises(TwilioRestException) as raised:
        client.send()
    assert (raised.value.status, raised.value.code) == (status, code)
    assert len(client.twilio.ledger) == 0


def test_an_answer_that_is_lost_leaves_a_text(client: ApiClient) -> None:
    client.control("faults", fault="drop")
    with pytest.raises(requests.ConnectionError):
        client.send()
    assert len(client.twilio.ledger) == 1


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
    ],
)
def test_the_magic_recipients_refuse(client: ApiClient, number: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as raised:
        client.send(to=number)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("number", "code"),
    [("+15005550001", 21212), ("+15005550007", 21606), ("+15005550008", 21611)],
)
def test_the_magic_senders_refuse(client: ApiClient, number: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as raised:
        client.send(from_=number)
    assert raised.value.code == code


def test_the_good_magic_sender_sends(client: ApiClient) -> None:
    assert client.send(from_="+15005550006").sid


def test_a_wrong_password_does_not_open_the_api(twilio: TwilioSimulator) -> None:
    stranger = sdk_for(twilio, twilio.credentials.api_key, "wrong")
    with pytest.raises(TwilioRestException) as raised:
        stranger.messages.create(to=MEMBER, from_=SENDER, body="Hello")
    assert (raised.value.status, raised.value.code) == (401, 20003)
    assert len(twilio.ledger) == 0


@pytest.mark.parametrize("sign_fragment", [False, True])
def test_its_validator_accepts_the_callbacks(
    client: ApiClient, receiver: Receiver, sign_fragment: bool
) -> None:
    client.control("settings", sign_fragment=sign_fragment)
    client.send(body="Hé", status_callback=receiver.url() + RETRY_OVERRIDES)
    validator = RequestValidator(client.twilio.credentials.auth_token)
    for one in receiver.wait_for(2):
        url = one.url + RETRY_OVERRIDES if sign_fragment else one.url
        assert validator.validate(url, one.fields, one.headers["x-twilio-signature"])
        assert not validator.validate(one.url + "x", one.fields, one.headers["x-twilio-signature"])


def test_its_validator_rejects_another_token(client: ApiClient, receiver: Receiver) -> None:
    client.control("faults", fault="bad_signature")
    client.send(status_callback=receiver.url())
    validator = RequestValidator(client.twilio.credentials.auth_token)
    for one in receiver.wait_for(2):
        assert not validator.validate(one.url, one.fields, one.headers["x-twilio-signature"])


def test_its_validator_accepts_an_inbound_text(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url("/webhooks/twilio/"))
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": "Zażółć & co = 1 + 1 🙏"})
    [one] = receiver.wait_for(1)
    validator = RequestValidator(client.twilio.credentials.auth_token)
    assert validator.validate(one.url, one.fields, one.headers["x-twilio-signature"])
    assert one.fields["Body"] == "Zażółć & co = 1 + 1 🙏"


def test_the_answer_has_the_documented_fields(client: ApiClient) -> None:
    sent = client.send()
    assert set(client.twilio.account.messages.all()[0].resource()) >= {
        "account_sid", "api_version", "body", "date_created", "date_sent", "date_updated",
        "direction", "error_code", "error_message", "from", "messaging_service_sid", "num_media",
        "num_segments", "price", "price_unit", "sid", "status", "subresource_uris", "to", "uri",
    }  # fmt: skip
    assert sent.uri.endswith(f"/Messages/{sent.sid}.json")
