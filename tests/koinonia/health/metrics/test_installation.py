"""The gauges of the installation, and the number of statements that a scrape costs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from koinonia.models import Church, WebhookEndpoint
from realtime.models import Event, WebProcess
from tests.support.webhooks import happen, webhook

pytestmark = pytest.mark.django_db


def _scraped() -> str:
    return Client().get("/metrics?installation").content.decode()


def test_every_gauge_is_there(grace: Church) -> None:
    text = _scraped()
    for line in (
        'koinonia_messages{status="queued"} 0.0',
        "koinonia_oldest_due_seconds 0.0",
        'koinonia_texts_of_a_day{outcome="delivered"} 0.0',
        'koinonia_breaker_state{provider="telnyx",state="closed"} 1.0',
        'koinonia_breaker_state{provider="telnyx",state="open"} 0.0',
        'koinonia_account_held{provider="telnyx"} 0.0',
        "koinonia_capped_churches 0.0",
        "koinonia_oldest_webhook_seconds 0.0",
        'koinonia_outgoing_webhooks{state="working"} 0.0',
        'koinonia_outgoing_webhooks{state="failing"} 0.0',
        'koinonia_outgoing_webhooks{state="off_failed"} 0.0',
        "koinonia_outgoing_waiting_events 0.0",
        "koinonia_outgoing_oldest_seconds 0.0",
        "koinonia_outgoing_late_seconds 0.0",
        "koinonia_sockets 0.0",
        "koinonia_migrations_pending 0.0",
    ):
        assert line in text.splitlines(), line


def test_events_that_wait_for_a_webhook_are_counted_and_timed(grace: Church) -> None:
    webhook(grace, "https://hooks.example.org/")
    WebhookEndpoint.objects.update(created_at=timezone.now() - timedelta(hours=2))
    happen(grace, 1, 2)
    Event.objects.update(at=timezone.now() - timedelta(hours=1))
    text = _scraped()
    assert 'koinonia_outgoing_webhooks{state="working"} 1.0' in text
    assert "koinonia_outgoing_waiting_events 2.0" in text
    assert re.search(r"^koinonia_outgoing_oldest_seconds 36\d\d\.", text, re.MULTILINE)
    assert re.search(r"^koinonia_outgoing_late_seconds 36\d\d\.", text, re.MULTILINE)


def test_a_user_with_sockets_at_two_processes_is_one_user() -> None:
    now = timezone.now()
    WebProcess.objects.create(name="a", sockets={"1": 2, "2": 1}, seen_at=now)
    WebProcess.objects.create(name="b", sockets={"1": 1}, seen_at=now)
    old = now - timedelta(minutes=1)
    WebProcess.objects.create(name="killed", sockets={"3": 9}, seen_at=old)
    text = _scraped()
    assert "koinonia_users_on_sockets 2.0" in text
    assert "koinonia_sockets 4.0" in text


def test_a_process_gives_no_gauge_of_the_installation() -> None:
    text = Client().get("/metrics").content.decode()
    assert 'koinonia_process{kind="web"' in text
    assert "koinonia_messages" not in text
    assert "koinonia_breaker_state" not in text
