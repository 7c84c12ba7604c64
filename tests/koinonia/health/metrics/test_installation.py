"""The gauges of the installation, and the number of statements that a scrape costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from koinonia.models import Church
from realtime.models import WebProcess

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
        "koinonia_sockets 0.0",
        "koinonia_migrations_pending 0.0",
    ):
        assert line in text.splitlines(), line


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
