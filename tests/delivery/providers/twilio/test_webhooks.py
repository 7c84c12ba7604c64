"""Webhook calls become reports and texts if Twilio signed them, and are refused otherwise."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django.fixtures import Settings
from twilio.request_validator import RequestValidator

from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.providers.base import (
    DeliveryReport,
    InboundText,
    NotConfiguredError,
    ProviderEvent,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.providers.twilio.provider import TwilioProvider
from delivery.providers.twilio.simulator import TwilioSimulator
from delivery.statuses import Status
from tests.delivery.providers.twilio.api_client import MEMBER, SENDER, ApiClient, Receiver

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
URL = "https://church.example.org/webhooks/twilio/m12/"
SID = "SM" + "a" * 32
FORM = "application/x-www-form-urlencoded"


class Headers(dict[str, str]):
    """A mapping that ignores case, like Django's."""

    def get(self, name: str, default: Any = None) -> Any:
        return {key.lower(): value for key, value in self.items()}.get(name.lower(), default)


def call(
    twilio: TwilioSimulator,
    fields: dict[str, str],
    *,
    url: str = URL,
    ref: str = "m12",
    token: str = "",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> WebhookRequest:
    """Return a call that the official SDK has signed."""
    fields = {"AccountSid": twilio.credentials.account_sid, **fields}
    validator = RequestValidator(token or twilio.credentials.auth_token)
    signed = {
        "content-type": f"{FORM}; charset=UTF-8",
        "x-twilio-signature": validator.compute_signature(url, fields),
    }
    return WebhookRequest(
        headers=Headers(signed if headers is None else headers),
        body=urlencode(fields).encode() if body is None else body,
        url=url,
        ref=ref,
        now=NOW,
    )


def status(word: str, **over: str) -> dict[str, str]:
    return {
        "MessageSid": SID, "SmsSid": SID, "MessageStatus": word, "SmsStatus": word,
        "To": MEMBER, "From": SENDER, "ApiVersion": "2010-04-01", **over,
    }  # fmt: skip


def inbound(body: str, **over: str) -> dict[str, str]:
    return {
        "MessageSid": SID, "SmsSid": SID, "SmsMessageSid": SID, "SmsStatus": "received",
        "To": SENDER, "From": MEMBER, "Body": body, "NumMedia": "0", "NumSegments": "1",
        "FromCity": "", **over,
    }  # fmt: skip


def event(provider: TwilioProvider, request: WebhookRequest) -> ProviderEvent:
    [found] = provider.parse_webhook(request)
    return found


def report(
    provider: TwilioProvider, twilio: TwilioSimulator, fields: dict[str, str]
) -> DeliveryReport:
    found = provider.read_event(event(provider, call(twilio, fields)))
    assert isinstance(found, DeliveryReport)
    return found


def text(provider: TwilioProvider, twilio: TwilioSimulator, fields: dict[str, str]) -> InboundText:
    found = provider.read_event(event(provider, call(twilio, fields, ref="")))
    assert isinstance(found, InboundText)
    return found


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("accepted", Status.ACCEPTED),
        ("queued", Status.ACCEPTED),
        ("sending", Status.ACCEPTED),
        ("sent", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("read", Status.DELIVERED),
        ("undelivered", Status.FAILED),
        ("failed", Status.FAILED),
        ("canceled", Status.FAILED),
    ],
)
def test_a_status_callback_is_a_report(
    provider: TwilioProvider, twilio: TwilioSimulator, word: str, known: Status
) -> None:
    found = report(provider, twilio, status(word))
    assert (found.provider_id, found.status, found.at) == (SID, known, NOW)
    assert (found.to_number, found.from_number) == (MEMBER, SENDER)
    assert (found.failure is not None) == (known == Status.FAILED)


def test_a_failure_carries_its_code_and_our_sentence(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    failure = report(provider, twilio, status("undelivered", ErrorCode="30005")).failure
    assert failure is not None
    assert (failure.code, failure.error_class) == ("30005", "carrier")
    assert failure.title == "The carrier does not know this number. Correct the member's number."
    failure = report(provider, twilio, status("failed", ErrorCode="30034")).failure
    assert failure is not None
    assert failure.error_class == "configuration"


def test_a_failed_callback_with_21610_opts_out(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    assert report(provider, twilio, status("failed", ErrorCode="21610")).opted_out
    assert not report(provider, twilio, status("failed", ErrorCode="30008")).opted_out
    assert not report(provider, twilio, status("sent", ErrorCode="21610")).opted_out


def test_an_event_is_the_same_by_text_status_code_and_carrier_date(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    forms = [
        status("sent"),
        status("delivered"),
        status("delivered", RawDlrDoneDate="2611291200"),
        status("undelivered"),
        status("undelivered", ErrorCode="30005"),
        status("sent", MessageSid="SM" + "b" * 32),
        inbound("Hello"),
    ]
    ids = [event(provider, call(twilio, one)).event_id for one in forms]
    assert len(set(ids)) == len(forms)
    assert [event(provider, call(twilio, one, url=URL + "?b=1")).event_id for one in forms] == ids
    again = call(twilio, status("sent", ChannelMood="hopeful"))
    assert event(provider, again).event_id == ids[0]


def test_the_reference_of_the_path_is_kept(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    assert event(provider, call(twilio, status("sent"))).ref == "m12"
    assert event(provider, call(twilio, status("sent"), ref="../12")).ref == ""


def test_an_inbound_text_is_read_with_its_links(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    media = {
        "NumMedia": "3",
        "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
        "MediaUrl1": "javascript:alert(1)",
        "MediaUrl2": "https://a.example/x y",
    }
    found = text(provider, twilio, inbound(" Amen\u2028 ", NumSegments="2", **media))
    assert (found.text, found.from_number, found.to_number) == (" Amen\u2028 ", MEMBER, SENDER)
    assert found.media_urls == (media["MediaUrl0"],)
    assert (found.billed.parts, found.keyword, found.at) == (2, "", NOW)
    stored = event(provider, call(twilio, inbound("Amen")))
    assert (stored.event_type, stored.event_id) == (TEXT_RECEIVED, SID)


@pytest.mark.parametrize(
    ("wish", "keyword"), [("STOP", "STOP"), ("start", "START"), ("HELP", ""), ("", "")]
)
def test_advanced_opt_out_tells_the_wish(
    provider: TwilioProvider, twilio: TwilioSimulator, wish: str, keyword: str
) -> None:
    assert text(provider, twilio, inbound("Basta", OptOutType=wish)).keyword == keyword


@pytest.mark.parametrize(
    "fields",
    [
        status("partially_delivered"),
        status("of the future"),
        status("sent", MessageSid="", SmsSid=""),
        inbound("Hello", From=""),
        inbound("Hello", From="+1" * 20),
        {"Hello": "world"},
        {},
    ],
)
def test_an_unknown_form_says_nothing(
    provider: TwilioProvider, twilio: TwilioSimulator, fields: dict[str, str]
) -> None:
    stored = event(provider, call(twilio, fields))
    assert provider.read_event(stored) is None
    assert 0 < len(stored.event_id) <= 64


def test_an_untrusted_call_is_refused(provider: TwilioProvider, twilio: TwilioSimulator) -> None:
    good = call(twilio, status("sent"))
    token = twilio.credentials.auth_token
    untrusted = {
        "missing_signature": call(twilio, status("sent"), headers={"content-type": FORM}),
        "bad_signature": call(twilio, status("sent"), token="0" * 32),
        "other_account": call(twilio, status("sent", AccountSid="AC" + "0" * 32)),
        "bad_form": call(twilio, status("sent"), body=b"Body=%ff"),
        "bad_body_hash": call(
            twilio,
            {},
            url=f"{URL}?bodySHA256=0",
            headers={
                "content-type": "application/json",
                "x-twilio-signature": RequestValidator(token).compute_signature(
                    f"{URL}?bodySHA256=0", {}
                ),
            },
            body=b"{}",
        ),
    }
    assert provider.parse_webhook(good)
    for code, request in untrusted.items():
        with pytest.raises(UntrustedError) as raised:
            provider.parse_webhook(request)
        assert raised.value.code == code


@pytest.mark.parametrize("header", ["", "AAAA", "é", "=" * 28])
def test_a_strangers_call_is_never_an_error_of_ours(
    provider: TwilioProvider, twilio: TwilioSimulator, header: str
) -> None:
    for kind in (FORM, "application/json", "", "x"):
        headers = {"content-type": kind, "x-twilio-signature": header}
        for body in (b"", b"a=1", b"\xff", b"&" * 5000, b'{"a":1}'):
            with pytest.raises(UntrustedError):
                provider.parse_webhook(call(twilio, {}, headers=headers, body=body))


def test_a_signed_body_that_is_no_form_is_unreadable(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    body = b'{"MessageSid": "SM1"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(twilio.credentials.auth_token).compute_signature(url, {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    with pytest.raises(UnreadableError):
        provider.parse_webhook(call(twilio, {}, url=url, headers=headers, body=body))


def test_two_tokens_are_trusted_while_they_rotate(
    provider: TwilioProvider, twilio: TwilioSimulator, settings: Settings
) -> None:
    old, new = twilio.credentials.auth_token, "1" * 32
    options = {**settings.DELIVERY["PROVIDERS"]["twilio"], "AUTH_TOKEN": [new, old]}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"twilio": options}}
    for token in (old, new):
        assert provider.parse_webhook(call(twilio, status("sent"), token=token))


def test_without_a_token_nothing_is_trusted(
    provider: TwilioProvider, twilio: TwilioSimulator, settings: Settings
) -> None:
    options = {**settings.DELIVERY["PROVIDERS"]["twilio"], "AUTH_TOKEN": ""}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"twilio": options}}
    with pytest.raises(NotConfiguredError):
        provider.parse_webhook(call(twilio, status("sent"), token="0" * 32))


def test_the_answer_is_empty_twiml(provider: TwilioProvider) -> None:
    answer = provider.webhook_response([])
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert answer.content.endswith(b"<Response/>")


def test_the_simulators_calls_are_trusted(
    provider: TwilioProvider, client: ApiClient, receiver: Receiver
) -> None:
    client.control("webhooks", url=receiver.url("/webhooks/twilio/"))
    client.send(status_callback=receiver.url("/webhooks/twilio/m12/"))
    receiver.wait_for(2)
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": "Ja, gerne! 🙏"})
    found = [
        provider.read_event(
            event(
                provider,
                WebhookRequest(
                    headers=Headers(one.headers), body=one.body, url=one.url, ref="", now=NOW
                ),
            )
        )
        for one in receiver.wait_for(3)
    ]
    assert {getattr(one, "status", None) for one in found} == {Status.SENT, Status.DELIVERED, None}


def test_every_order_of_statuses_has_a_rank(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    words = ("sent", "undelivered", "delivered")
    for order in permutations(words):
        found = [report(provider, twilio, status(word)).status for word in order]
        assert set(found) == {Status.SENT, Status.FAILED, Status.DELIVERED}
