"""Twilio's webhooks, applied by the engine: only ranks order them, and repeats change nothing."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from delivery import opt_outs
from delivery.models import Message, WebhookEvent
from delivery.providers.twilio.signature import compute
from delivery.statuses import Status
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.engine.scripted import write
from tests.delivery.redis_state import fresh

pytestmark = pytest.mark.django_db

ORIGIN = "https://texts.example.org"
ACCOUNT, TOKEN = "AC" + "0" * 32, "1" * 32
SID = "SM" + "a" * 32
PERSON, OURS = "+13125550155", "+13125550100"


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    options = {
        "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
        "ACCOUNT_SID": ACCOUNT,
        "AUTH_TOKEN": TOKEN,
    }
    fresh(
        settings,
        PROVIDERS={"twilio": options},
        DEFAULT_PROVIDER="twilio",
        PROVIDER_OF=None,
        PUBLIC_URL=ORIGIN,
    ).close()


def post(path: str, fields: dict[str, str]) -> int:
    fields = {"AccountSid": ACCOUNT, **fields}
    signature = compute(TOKEN, ORIGIN + path, {name: [value] for name, value in fields.items()})
    answer = Client().post(
        path,
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        # The Host differs from our public name, as behind a proxy.
        headers={"X-Twilio-Signature": signature, "Host": "testserver"},
    )
    return int(answer.status_code)


def report(message: Message, status: str, **over: str) -> None:
    fields = {
        "MessageSid": SID, "MessageStatus": status, "To": PERSON, "From": OURS, **over,
    }  # fmt: skip
    assert post(f"/webhooks/twilio/m{message.pk}/", fields) == 200
    apply_waiting_events(timezone.now())
    message.refresh_from_db()


@pytest.fixture
def message(grace: Church) -> Message:
    """Return a text that Twilio has taken."""
    written = write(grace, to=PERSON)
    Message.objects.filter(pk=written.pk).update(
        status=Status.ACCEPTED, provider_id=SID, calls=1, attempts=1
    )
    written.refresh_from_db()
    return written


def test_a_late_copy_without_a_code_keeps_the_reason(message: Message) -> None:
    report(message, "undelivered", ErrorCode="30005")
    assert (message.status, message.error_code) == (Status.FAILED, "30005")
    report(message, "undelivered")
    report(message, "failed")
    assert (message.status, message.error_code) == (Status.FAILED, "30005")


def test_every_order_of_the_same_reports_ends_the_same(message: Message) -> None:
    fresh_row = Message.objects.values().get(pk=message.pk)
    for order in permutations(["sent", "undelivered", "delivered"]):
        for status in order:
            report(message, status)
        assert message.status == Status.DELIVERED, order
        Message.objects.filter(pk=message.pk).update(**fresh_row)
        WebhookEvent.objects.all().delete()


def test_a_repeated_call_is_one_event(message: Message) -> None:
    for _ in range(3):
        report(message, "delivered", RawDlrDoneDate="2611291200")
    assert WebhookEvent.objects.count() == 1


def test_a_stop_in_a_failed_report_opts_out(message: Message, grace: Church) -> None:
    report(message, "failed", ErrorCode="21610")
    assert (message.status, message.error_code) == (Status.FAILED, "21610")
    assert opt_outs.opted_out(grace.pk, [PERSON]) == {PERSON}


def test_a_report_settles_a_text_in_doubt_by_its_path(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(
        status=Status.UNKNOWN, provider_id=None, dead_since=timezone.now()
    )
    report(message, "queued")
    assert (message.status, message.provider_id) == (Status.ACCEPTED, SID)
    report(message, "delivered")
    assert message.status == Status.DELIVERED


def test_a_report_on_a_path_of_another_text_moves_neither(message: Message) -> None:
    other = write(message.tenant, to="+13125550156")
    Message.objects.filter(pk=message.pk).update(provider_id=None)
    report(other, "delivered")
    assert other.status == Status.QUEUED
    message.refresh_from_db()
    assert message.status == Status.ACCEPTED


def test_a_text_from_a_person_is_kept_once(grace: Church) -> None:
    fields = {
        "MessageSid": SID, "SmsStatus": "received", "From": PERSON, "To": OURS, "Body": "Revoke",
        "NumMedia": "0", "NumSegments": "1", "FromCity": "",
    }  # fmt: skip
    for _ in range(2):
        assert post("/webhooks/twilio/", fields) == 200
        apply_waiting_events(timezone.now())
    assert Message.objects.get().text == "Revoke"
    assert opt_outs.opted_out(grace.pk, [PERSON]) == {PERSON}


def test_advanced_opt_out_decides_by_twilios_word(grace: Church) -> None:
    fields = {
        "MessageSid": SID, "SmsStatus": "received", "From": PERSON, "To": OURS, "Body": "Basta",
        "OptOutType": "STOP",
    }  # fmt: skip
    assert post("/webhooks/twilio/", fields) == 200
    apply_waiting_events(timezone.now())
    assert opt_outs.opted_out(grace.pk, [PERSON]) == {PERSON}


def test_a_signature_over_another_host_is_refused(message: Message) -> None:
    signature = compute(TOKEN, "http://testserver/webhooks/twilio/", {"a": ["1"]})
    answer = Client().post(
        "/webhooks/twilio/",
        "a=1",
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    assert answer.status_code == 400
    assert not WebhookEvent.objects.exists()
