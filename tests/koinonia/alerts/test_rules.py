"""A rule sees its trouble, and stays silent while all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.limits import breaker, holds, slowdowns, stops
from delivery.models import Attempt, BreakerState, Direction, Message, SpendLimit, WebhookEvent
from delivery.providers import registry
from delivery.statuses import Status
from koinonia.alerts.pages import Page, page_of
from koinonia.alerts.rules import MOST_CHURCHES, troubles
from koinonia.models import Church, WebhookEndpoint
from realtime.models import Event
from tests.koinonia.alerts.conftest import RULES
from tests.support import cast
from tests.support.webhooks import happen, webhook

NOW = timezone.now()
pytestmark = pytest.mark.django_db


def keys(**changed: Any) -> list[str]:
    found = troubles(replace(RULES, **changed), NOW)
    assert all(trouble.sentence and trouble.what_to_do for trouble in found)
    return [trouble.key for trouble in found]


def text(church: Church, status: Status, age: timedelta, number: int = 0, **over: Any) -> Message:
    at = NOW - age
    values: dict[str, Any] = {"created_at": at, "updated_at": at, "next_attempt_at": None, **over}
    return Message.objects.create(
        tenant=church, direction=Direction.OUTBOUND, status=status, text="Hello",
        to_number=f"+1312555{1000 + number}", from_number=church.phone_number, **values,
    )  # fmt: skip


def test_a_quiet_installation_has_no_trouble(grace: Church) -> None:
    text(grace, Status.DELIVERED, timedelta(hours=2))
    assert keys() == []


def test_a_stopped_breaker_is_a_trouble(grace: Church) -> None:
    account = registry.account("telnyx")
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=NOW)
    assert keys() == ["breaker:telnyx"]
    assert keys(breaker_seconds=None) == []
    breaker.release(account, by=None, now=NOW)
    assert keys() == []


def test_a_held_account_is_a_trouble(grace: Church) -> None:
    account = registry.account("telnyx")
    holds.hold(account, "http_402", "Payment required", now=NOW)
    assert keys() == ["hold:telnyx"]
    assert keys(hold_seconds=None) == []
    holds.end(account, by="support", now=NOW)
    assert keys() == []


def test_a_text_that_is_due_for_long_is_a_trouble(grace: Church) -> None:
    due = NOW - timedelta(minutes=20)
    text(grace, Status.QUEUED, timedelta(minutes=20), next_attempt_at=due)
    assert keys() == ["oldest_due"]
    assert keys(oldest_due_seconds=3600) == []
    assert keys(oldest_due_seconds=None) == []


def test_texts_of_a_church_that_a_person_stopped_are_no_trouble(grace: Church) -> None:
    due = NOW - timedelta(minutes=20)
    text(grace, Status.QUEUED, timedelta(minutes=20), next_attempt_at=due)
    stops.stop(grace.pk, by=None, reason="a test", now=NOW)
    assert keys() == []


def test_a_late_text_behind_a_slowed_pace_says_so(grace: Church) -> None:
    due = NOW - timedelta(minutes=20)
    text(grace, Status.QUEUED, timedelta(minutes=20), next_attempt_at=due)
    Attempt.objects.create(
        message=Message.objects.get(),
        number=1,
        generation=1,
        started_at=NOW,
        duration_ms=20,
        outcome="accepted",
    )
    slowdowns.slow(
        registry.account("telnyx"), rate=1, by=None, reason="a test", now=NOW,
        until=NOW + timedelta(hours=1),
    )  # fmt: skip
    [trouble] = troubles(RULES, NOW)
    assert trouble.sentence.endswith("A person has slowed the pace.")


def test_texts_behind_a_breaker_are_one_trouble(grace: Church) -> None:
    due = NOW - timedelta(minutes=20)
    text(grace, Status.QUEUED, timedelta(minutes=20), next_attempt_at=due)
    account = registry.account("telnyx")
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=NOW)
    assert keys() == ["breaker:telnyx"]


def test_silence_is_a_trouble_only_while_texts_wait_for_reports(grace: Church) -> None:
    for number in range(2):
        text(grace, Status.ACCEPTED, timedelta(hours=1), number)
    assert keys() == []
    text(grace, Status.ACCEPTED, timedelta(hours=1), 3)
    assert keys() == ["webhook_silence:telnyx"]
    assert keys(webhook_silence_seconds=None) == []
    WebhookEvent.objects.create(
        provider="telnyx", event_id="e", event_type="message.sent", payload={}, occurred_at=NOW,
        received_at=NOW - timedelta(minutes=5), applied_at=NOW, result="applied",
    )  # fmt: skip
    assert keys() == []


def test_texts_that_were_accepted_just_now_are_no_silence(grace: Church) -> None:
    for number in range(5):
        text(grace, Status.ACCEPTED, timedelta(minutes=5), number)
    assert keys() == []


def test_many_dead_letters_of_an_hour_are_a_trouble(grace: Church) -> None:
    def dead(number: int, age: timedelta) -> None:
        text(grace, Status.DEAD, age, number, dead_since=NOW - age, error_code="connection_failed")

    for number in range(2):
        dead(number, timedelta(minutes=5))
    dead(3, timedelta(hours=2))
    assert keys() == []
    dead(4, timedelta(minutes=1))
    assert keys() == ["dead_letters"]
    assert keys(dead_letters=None) == []
    [trouble] = troubles(RULES, NOW)
    assert trouble.sentence.startswith("3 texts of the last hour could not be sent")
    assert "connection_failed" in trouble.sentence


def test_webhooks_of_churches_that_no_worker_sends_are_a_trouble(grace: Church) -> None:
    webhook(grace, "https://hooks.example.org/")
    happen(grace, 1)
    for age, found in ((4, []), (6, ["outgoing"])):
        then = NOW - timedelta(minutes=age)
        WebhookEndpoint.objects.update(created_at=then)
        Event.objects.update(at=then)
        assert keys() == found
    assert keys(outgoing_seconds=None) == []


def test_each_church_at_its_limit_is_a_trouble_up_to_a_bound(grace: Church) -> None:
    churches = [
        cast.church(f"c{number}", f"+1312556{number:04}") for number in range(MOST_CHURCHES)
    ]
    for church in (grace, *churches):
        SpendLimit.objects.create(
            tenant=church, cap=1, reached_at=NOW, waits_until=NOW + timedelta(hours=1)
        )
    found = keys()
    assert len(found) == MOST_CHURCHES + 1
    assert found[-1] == "spend_cap:others"
    assert keys(spend_cap=False) == []


@pytest.mark.parametrize(
    ("key", "name", "path"),
    [
        ("hold:telnyx", "Provider accounts", "/admin/delivery/breakertransition/"),
        ("breaker:telnyx", "Provider accounts", "/admin/delivery/breakertransition/"),
        ("oldest_due", "Support desk", "/admin/"),
        ("webhook_silence:telnyx", "Webhooks of providers", "/admin/delivery/webhookevent/"),
        ("dead_letters", "Dead letters", "/admin/delivery/deadletter/?age=1h"),
        ("outgoing", "Support desk", "/admin/"),
        ("spend_cap:7", "Daily caps", "/admin/delivery/spendlimit/7/change/"),
        ("spend_cap:others", "Daily caps", "/admin/delivery/spendlimit/"),
    ],
)
def test_an_alert_leads_to_the_page_on_which_a_person_acts(key: str, name: str, path: str) -> None:
    assert page_of(key.partition(":")[0], key) == Page(name, path)
