"""The outcome that our client gives to each of Twilio's answers."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from pytest_django.fixtures import Settings

from delivery.models import Outcome
from delivery.providers.base import OutboundText
from delivery.providers.one_call import asked_pause
from delivery.providers.twilio import codes
from delivery.providers.twilio.client import form
from delivery.providers.twilio.provider import TwilioProvider
from delivery.providers.twilio.signature import RETRY_OVERRIDES
from delivery.providers.twilio.simulator import TwilioSimulator
from delivery.providers.twilio.simulator.errors import ASYNCHRONOUS, SYNCHRONOUS
from delivery.providers.twilio.simulator.faults import FAULTS
from tests.delivery.providers.twilio.api_client import MEMBER, SENDER, ApiClient, Receiver

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TEXT = OutboundText(
    message_id=12,
    generation=1,
    idempotency_key="m:12:1:0",
    reference="m12",
    from_number=SENDER,
    to_number=MEMBER,
    text="Grüße & Küsse = 1 + 1",
    created_at=NOW,
)


def text(**changes: Any) -> OutboundText:
    return dataclasses.replace(TEXT, **changes)


def test_a_text_is_accepted(
    provider: TwilioProvider, twilio: TwilioSimulator, receiver: Receiver
) -> None:
    outcome = provider.send(text(callback_url=receiver.url("/webhooks/twilio/m12/")))
    [entry] = twilio.ledger.entries
    assert (outcome.kind, outcome.http_status) == (Outcome.ACCEPTED, 201)
    assert (outcome.provider_id, outcome.billed.parts) == (entry.id, 1)
    assert (entry.to, entry.from_, entry.text) == (MEMBER, SENDER, TEXT.text)
    assert {(one.status, one.url) for one in receiver.wait_for(2)} == {
        ("sent", receiver.url("/webhooks/twilio/m12/")),
        ("delivered", receiver.url("/webhooks/twilio/m12/")),
    }


def test_the_account_token_opens_the_api_where_there_is_no_key(
    provider: TwilioProvider, twilio: TwilioSimulator, settings: Settings
) -> None:
    options = dict(settings.DELIVERY["PROVIDERS"]["twilio"])
    del options["API_KEY"], options["API_SECRET"]
    options["AUTH_TOKEN"] = [options["AUTH_TOKEN"], "0" * 32]
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"twilio": options}}
    assert provider.send(TEXT).kind == Outcome.ACCEPTED


def test_one_connection_serves_many_texts(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    assert {provider.send(text(text=str(n))).kind for n in range(5)} == {Outcome.ACCEPTED}
    assert [entry.text for entry in twilio.ledger.entries] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("21211", Outcome.PERMANENT, "21211"),
        ("21610", Outcome.PERMANENT, "21610"),
        ("21617", Outcome.PERMANENT, "21617"),
        ("400_html", Outcome.PERMANENT, "http_400"),
        ("400_unknown", Outcome.PERMANENT, "21999"),
        ("20003", Outcome.CONFIGURATION, "20003"),
        ("20403", Outcome.CONFIGURATION, "20403"),
        ("20404", Outcome.CONFIGURATION, "20404"),
        ("21606", Outcome.CONFIGURATION, "21606"),
        ("21408", Outcome.CONFIGURATION, "21408"),
        ("20429", Outcome.THROTTLED, "20429"),
        ("429_html", Outcome.THROTTLED, "http_429"),
        ("21611", Outcome.THROTTLED, "21611"),
        ("63038", Outcome.THROTTLED, "63038"),
        ("503", Outcome.RETRYABLE, "20503"),
        ("refuse", Outcome.AMBIGUOUS, "answer_lost"),
        ("close", Outcome.AMBIGUOUS, "answer_lost"),
        ("500", Outcome.AMBIGUOUS, "20500"),
        ("502_html", Outcome.AMBIGUOUS, "http_502"),
        ("503_html", Outcome.AMBIGUOUS, "http_503"),
        ("503_empty", Outcome.AMBIGUOUS, "http_503"),
    ],
)
def test_a_refused_text_has_the_outcome_of_its_code(
    provider: TwilioProvider,
    client: ApiClient,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    kind: Outcome,
    code: str,
) -> None:
    client.control("faults", fault=fault)
    outcome = provider.send(TEXT)
    assert (outcome.kind, outcome.code) == (kind, code)
    assert len(client.twilio.ledger) == 0
    assert MEMBER not in outcome.title + outcome.detail
    logged = [record for record in caplog.records if vars(record).get("action") == "unknown_code"]
    assert bool(logged) == (fault == "400_unknown")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("drop", "answer_lost"),
        ("slow", "answer_lost"),
        ("hang", "answer_lost"),
        ("broken_json", "unreadable_answer"),
        ("no_sid", "unreadable_answer"),
        ("xml", "unreadable_answer"),
        ("created_500", "20500"),
        ("created_504", "http_504"),
    ],
)
def test_a_text_whose_answer_is_lost_or_odd_is_ambiguous(
    provider: TwilioProvider, client: ApiClient, settings: Settings, fault: str, code: str
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "READ_TIMEOUT": 0.3}
    client.control("faults", fault=fault, **({"seconds": 0.6} if fault in {"slow", "hang"} else {}))
    outcome = provider.send(TEXT)
    assert (outcome.kind, outcome.code) == (Outcome.AMBIGUOUS, code)
    assert len(client.twilio.ledger) == 1


def test_a_refused_connection_has_certainly_sent_nothing(
    provider: TwilioProvider, twilio: TwilioSimulator
) -> None:
    twilio.start_outage("refuse")
    outcome = provider.send(TEXT)
    assert (outcome.kind, outcome.reached) == (Outcome.RETRYABLE, False)


def test_a_stop_opts_out(provider: TwilioProvider, client: ApiClient) -> None:
    client.control("faults", fault="21610")
    assert provider.send(TEXT).opted_out


@pytest.mark.parametrize(
    ("fault", "pause", "whole_account", "hold"),
    [
        ("20429", 1, True, False),
        ("429_with_retry_after", 2, True, False),
        ("21611", 300, False, False),
        ("63038", 3600, True, True),
        ("20003", None, True, True),
        ("21606", 10, False, False),
    ],
)
def test_pauses_and_holds(
    provider: TwilioProvider,
    client: ApiClient,
    fault: str,
    pause: float | None,
    whole_account: bool,
    hold: bool,
) -> None:
    client.control("faults", fault=fault)
    outcome = provider.send(TEXT)
    assert (outcome.retry_after, outcome.whole_account, outcome.hold) == (
        pause, whole_account, hold,
    )  # fmt: skip


def fields_of(text: OutboundText, now: datetime = NOW) -> dict[str, list[str]]:
    return parse_qs(form(text, now).decode(), strict_parsing=True)


def test_the_form_of_a_plain_text() -> None:
    assert fields_of(TEXT) == {"To": [MEMBER], "From": [SENDER], "Body": [TEXT.text]}


def test_the_form_of_a_picture() -> None:
    fields = fields_of(text(text="", media_urls=("https://a.example/1", "https://a.example/2")))
    assert fields["MediaUrl"] == ["https://a.example/1", "https://a.example/2"]
    assert "Body" not in fields


def test_the_callback_has_the_reference_in_its_path_and_asks_for_retries() -> None:
    fields = fields_of(text(callback_url="https://c.example/webhooks/twilio/m12/"))
    assert fields["StatusCallback"] == ["https://c.example/webhooks/twilio/m12/" + RETRY_OVERRIDES]


@pytest.mark.parametrize(
    ("left", "validity"),
    [(-5, "1"), (0.5, "1"), (90.9, "90"), (36_000, "36000"), (200_000, "36000")],
)
def test_the_validity_is_what_is_left_within_twilios_limits(left: float, validity: str) -> None:
    fields = fields_of(text(expires_at=NOW + timedelta(seconds=left)))
    assert fields["ValidityPeriod"] == [validity]


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_fault_makes_the_client_raise(
    provider: TwilioProvider, client: ApiClient, settings: Settings, name: str
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "READ_TIMEOUT": 0.2}
    lasting = {"slow": 0.4, "hang": 0.4, "delayed": 0.01}
    client.control("faults", fault=name, **({"seconds": lasting[name]} if name in lasting else {}))
    assert provider.send(TEXT).kind in Outcome


def test_every_code_of_the_table_has_a_sentence() -> None:
    for code, known in codes.CODES.items():
        assert str(known.sentence).endswith("."), code
        assert codes.explain(str(code)) == known.sentence
    assert codes.CODES.keys() >= set(SYNCHRONOUS) | set(ASYNCHRONOUS)
    assert codes.explain("99999") == codes.explain("answer_lost") == codes.explain("²") == ""


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (300, Outcome.AMBIGUOUS),
        (400, Outcome.PERMANENT),
        (401, Outcome.CONFIGURATION),
        (418, Outcome.PERMANENT),
        (429, Outcome.THROTTLED),
        (599, Outcome.AMBIGUOUS),
    ],
)
def test_an_unknown_code_falls_back_to_the_status(status: int, outcome: Outcome) -> None:
    assert codes.meaning(status, None).outcome == outcome
    assert codes.meaning(status, 99_999).outcome == outcome


@pytest.mark.parametrize(
    ("value", "pause"),
    [("", None), ("x", None), ("nan", None), ("2.5", 2.5), ("-1", 0), ("1e8", 86_400)],
)
def test_retry_after_is_read_with_care(value: str, pause: float | None) -> None:
    assert asked_pause(value) == pause


@pytest.fixture(autouse=True)
def quiet_sdk() -> Iterator[None]:
    """Keep the SDK's log of requests out of caplog."""
    logger = logging.getLogger("twilio.http_client")
    before, logger.level = logger.level, logging.ERROR
    yield
    logger.level = before
