"""Notices reach a real mail server and a real receiver, once in each channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from delivery.limits import breaker
from delivery.models import BreakerState
from delivery.providers import registry
from koinonia.alerts import tick
from koinonia.alerts.channels import MOST_AT_ONCE, send_due
from koinonia.config.alert_rules import Alerts
from koinonia.models import Alert, AlertNotice, Church
from koinonia.webhooks.signing import new_secret
from tests.koinonia.alerts.conftest import RULES, SECRET
from tests.support.mail_sink import Sink
from tests.support.running_system import free_port
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import WebhookReceiver, answer

NOW = timezone.now()
ALERT = {
    "state": "begun", "rule": "breaker", "key": "breaker:telnyx",
    "sentence": "Telnyx fails: calls to it are stopped, and texts wait.",
    "what_to_do": "Look at the provider's status page.", "since": "2026-11-30T12:00:00Z",
}  # fmt: skip
pytestmark = pytest.mark.django_db


def notice(channel: str, *alerts: dict[str, Any], **over: Any) -> AlertNotice:
    body = {"alerts": list(alerts or [ALERT]), "is_last": False}
    values = {"made_at": NOW, "due_at": NOW, **over}
    return AlertNotice.objects.create(channel=channel, body=body, **values)


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        sink.use(settings)
        yield sink


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


def posting_to(url: str, **changed: Any) -> Alerts:
    return replace(RULES, webhook_url=url, webhook_secrets=(SECRET,), **changed)


def test_a_mail_says_what_is_wrong_and_what_to_do(sink: Sink, settings: Any) -> None:
    over = {**ALERT, "state": "over", "key": "hold:telnyx", "sentence": "Telnyx refuses us."}
    notice("mail", ALERT, over)
    rules = replace(RULES, email=("grace@example.org", "hope@example.org"))
    assert send_due(rules, NOW) == 1
    assert send_due(rules, NOW + timedelta(hours=1)) == 0
    [envelope] = sink.envelopes
    assert envelope.rcpt_tos == ["grace@example.org", "hope@example.org"]
    [mail] = sink.texts()
    assert "Subject: Koinonia: Trouble: Telnyx fails" in mail
    assert "(and 1 more)" in mail.replace("\r\n ", " ")
    for words in (ALERT["sentence"], ALERT["what_to_do"], "Over: Telnyx refuses us.", "/admin/"):
        assert words in mail


def test_a_webhook_is_signed_so_that_the_library_verifies_it(receiver: WebhookReceiver) -> None:
    one = notice("webhook")
    old = new_secret()
    rules = replace(posting_to(receiver.url), webhook_secrets=(SECRET, old))
    assert send_due(rules, NOW) == 1
    [received] = receiver.received
    for secret in (SECRET, old):
        document: Any = Webhook(secret).verify(received.body, received.headers)
    assert document["type"] == "alerts"
    assert document["data"]["alerts"] == [ALERT]
    assert received.headers["webhook-id"] == f"alert_{one.pk}"


@pytest.mark.parametrize("status", [301, 400, 500])
def test_a_receiver_that_refuses_is_tried_again_with_the_same_id(
    receiver: WebhookReceiver, status: int
) -> None:
    one, rules = notice("webhook"), posting_to(receiver.url)
    receiver.handler = answer(status, headers={"Location": receiver.url})
    assert send_due(rules, NOW) == 0
    assert send_due(rules, NOW + timedelta(seconds=10)) == 0
    receiver.handler = answer(204)
    assert send_due(rules, NOW + timedelta(seconds=31)) == 1
    ids = [received.headers["webhook-id"] for received in receiver.received]
    assert ids == [f"alert_{one.pk}"] * 2
    one.refresh_from_db()
    assert (one.tries, one.error, one.sent_at) == (2, "", NOW + timedelta(seconds=31))


def test_a_dead_mail_server_does_not_stop_the_webhook(
    settings: Any, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    mail, hook = notice("mail"), notice("webhook")
    assert send_due(posting_to(receiver.url), NOW) == 1
    mail.refresh_from_db()
    hook.refresh_from_db()
    assert (mail.sent_at, mail.error) == (None, "ConnectionRefusedError")
    assert hook.sent_at == NOW
    assert "grace@example.org" not in caplog.text


def test_a_notice_is_given_up_after_a_day(
    receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.handler = answer(500)
    one, rules, at = notice("webhook"), posting_to(receiver.url), NOW
    for _ in range(60):
        send_due(rules, at)
        one.refresh_from_db()
        if one.given_up_at:
            break
        at = one.due_at
    assert one.given_up_at is not None
    assert one.given_up_at - NOW < timedelta(hours=24)
    assert 20 < len(receiver.received) < 40
    assert "it is given up" in caplog.text
    assert send_due(rules, NOW + timedelta(days=2)) == 0


def test_one_turn_sends_few_notices(sink: Sink) -> None:
    for _ in range(MOST_AT_ONCE + 2):
        notice("mail")
    assert send_due(RULES, NOW) == MOST_AT_ONCE
    assert send_due(RULES, NOW) == 2


def test_a_notice_that_another_process_is_sending_is_left_alone(sink: Sink) -> None:
    one = notice("mail")
    AlertNotice.objects.filter(pk=one.pk).update(due_at=NOW + timedelta(minutes=5), tries=1)
    assert send_due(RULES, NOW) == 0
    assert sink.envelopes == []


def test_a_stopped_breaker_reaches_people_and_its_end_too(
    grace: Church, rules: Any, sink: Sink, receiver: WebhookReceiver
) -> None:
    rules(webhook_url=receiver.url, webhook_secrets=(SECRET,), breaker_seconds=0, calm_seconds=0)
    account = registry.account("telnyx")
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=NOW)
    assert tick.run(NOW) == 2
    # The state is in the database, so this stands for a restart too.
    assert tick.run(NOW + timedelta(seconds=15)) == 0
    breaker.release(account, by=None, now=NOW)
    assert tick.run(NOW + timedelta(seconds=30)) == 2
    states = [received.json["data"]["alerts"][0]["state"] for received in receiver.received]
    assert states == ["begun", "over"]
    assert [("Over" in text) for text in sink.texts()] == [False, True]
    assert Alert.objects.filter(over_at=None).count() == 0


def test_nobody_to_tell_means_no_work(rules: Any, django_assert_num_queries: Any) -> None:
    rules(email=())
    with django_assert_num_queries(0):
        tick.on_overseen(NOW)


@pytest.mark.django_db(transaction=True)
def test_the_tick_of_a_worker_tells_people(grace: Church, rules: Any, sink: Sink) -> None:
    rules(breaker_seconds=0, every_seconds=1)
    account = registry.account("telnyx")
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=NOW)
    ticker = tick._Ticker()
    ticker.tick(NOW)
    wait_until(sink.texts)
    assert ticker.thread is not None
    ticker.thread.join()
    assert "A person has stopped all calls to Telnyx" in sink.texts()[0]
