"""Asking Twilio about a text: by its id, and by its content where the answer was lost."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from delivery.providers.base import LookUpByContent, LookUpById, LookUpFailedError
from delivery.providers.twilio.provider import TwilioProvider
from delivery.statuses import Status
from tests.delivery.providers.twilio.api_client import MEMBER, SENDER, ApiClient


def question(**changes: Any) -> LookUpByContent:
    now = datetime.now(UTC)
    asked = LookUpByContent(
        reference="m12",
        callback_url="https://church.example.org/webhooks/twilio/m12/",
        to_number=MEMBER,
        from_number=SENDER,
        text="Service at nine.",
        parts=1,
        since=now - timedelta(minutes=2),
        until=now + timedelta(minutes=2),
        others=frozenset(),
        one_of_many=False,
    )
    return dataclasses.replace(asked, **changes)


def ask(provider: TwilioProvider, asked: LookUpByContent | LookUpById) -> Any:
    return provider.look_up(asked, datetime.now(UTC))


def test_a_text_is_found_by_its_id(provider: TwilioProvider, client: ApiClient) -> None:
    sent = client.send()
    client.wait_for_status(sent.sid, "delivered")
    found = ask(provider, LookUpById(sent.sid))
    assert (found.provider_id, found.status) == (sent.sid, Status.DELIVERED)
    assert (found.to_number, found.from_number) == (MEMBER, SENDER)
    assert found.sent_at is not None
    assert found.completed_at is not None
    assert found.billed.parts == 1
    assert ask(provider, LookUpById("SM" + "0" * 32)) is None
    assert ask(provider, LookUpById("../Calls")) is None


def test_a_failed_text_is_found_with_its_reason(
    provider: TwilioProvider, client: ApiClient
) -> None:
    client.control("faults", fault="undelivered", code="30007")
    sent = client.send()
    client.wait_for_status(sent.sid, "undelivered")
    found = ask(provider, LookUpById(sent.sid))
    assert (found.status, found.failure.code) == (Status.FAILED, "30007")


def test_a_lost_text_is_found_by_its_words(provider: TwilioProvider, client: ApiClient) -> None:
    client.send(body="Another text")
    client.send(to="+13125550003")
    sent = client.send()
    client.send(body="One more")
    assert ask(provider, question()).provider_id == sent.sid


def test_in_doubt_nothing_is_found(provider: TwilioProvider, client: ApiClient) -> None:
    sent = client.send()
    assert ask(provider, question(one_of_many=True)) is None
    assert ask(provider, question(text="")) is None
    assert ask(provider, question(text="Service at ten.")) is None
    assert ask(provider, question(from_number="+13125550101")) is None
    assert ask(provider, question(others=frozenset({sent.sid}))) is None
    client.send()
    assert ask(provider, question()) is None
    assert ask(provider, question(others=frozenset({sent.sid}))) is not None


def test_a_text_of_another_time_is_not_it(provider: TwilioProvider, client: ApiClient) -> None:
    sent = client.send()
    message = client.twilio.account.messages.get(sent.sid)
    assert message is not None
    message.created_at -= timedelta(hours=1)
    assert ask(provider, question()) is None
    message.created_at += timedelta(hours=2)
    assert ask(provider, question()) is None


def test_a_text_from_a_person_is_not_it(provider: TwilioProvider, client: ApiClient) -> None:
    client.control("webhooks", url="http://127.0.0.1:1/")
    told = {"from": SENDER, "to": MEMBER, "text": "Service at nine."}
    client.control("inbound", **told)
    assert ask(provider, question()) is None


def test_all_pages_are_read_until_a_text_is_too_old(
    provider: TwilioProvider, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.providers.twilio.lookup._PAGE_SIZE", 2)
    old = client.send()
    message = client.twilio.account.messages.get(old.sid)
    assert message is not None
    message.created_at -= timedelta(hours=1)
    sent = client.send()
    for number in range(4):
        client.send(body=str(number))
    assert ask(provider, question()).provider_id == sent.sid
    for number in range(6):
        client.send(body=str(number))
    with pytest.raises(LookUpFailedError, match="too_many_pages"):
        ask(provider, question())


@pytest.mark.parametrize("mode", ["refuse", "close", "503"])
def test_an_outage_is_told_apart_from_an_unknown_text(
    provider: TwilioProvider, client: ApiClient, mode: str
) -> None:
    client.control("outage", on=True, mode=mode)
    for asked in (LookUpById("SM" + "0" * 32), question()):
        with pytest.raises(LookUpFailedError):
            ask(provider, asked)


def test_wrong_credentials_are_told_apart_too(
    provider: TwilioProvider, client: ApiClient, settings: Settings
) -> None:
    options = {**settings.DELIVERY["PROVIDERS"]["twilio"], "API_SECRET": "wrong"}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"twilio": options}}
    with pytest.raises(LookUpFailedError, match="http_401"):
        ask(provider, question())
