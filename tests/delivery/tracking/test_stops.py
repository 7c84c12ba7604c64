"""A refusal because of a STOP concerns the person: every report of it records the opt-out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from delivery.models import Message, OptOut
from delivery.references import reference
from delivery.tracking import apply_waiting_events
from delivery.tracking.watchdog import reconcile_now as reconcile
from tests.delivery.accounts import with_provider
from tests.delivery.tracking.conftest import NOW, MakeMessage
from tests.delivery.tracking.test_outbound import apply, tell
from tests.delivery.webhooks.signing import outbound

pytestmark = pytest.mark.django_db
STOPPED = [{"code": "40300", "title": "Blocked due to STOP message"}]


def test_a_stop_reported_for_the_first_send_counts_while_a_second_waits(
    message: MakeMessage,
) -> None:
    text = message("queued", generation=2)
    tell("delivery_failed", reference(text.pk), provider_id="p1", errors=STOPPED)
    apply()
    assert OptOut.objects.exists()


def test_a_stop_reported_for_a_replaced_send_counts(message: MakeMessage) -> None:
    text = message("accepted", generation=2, provider_id="p2")
    tell("delivery_failed", reference(text.pk), provider_id="p1", errors=STOPPED)
    apply()
    text.refresh_from_db()
    assert (text.status, OptOut.objects.exists()) == ("accepted", True)


def test_a_stop_found_by_the_watchdog_counts(
    message: MakeMessage, httpserver: HTTPServer, settings: Any
) -> None:
    settings.DELIVERY = with_provider(settings, API_BASE=httpserver.url_for("/v2"), API_KEY="K")
    told = {"data": outbound("p1", "delivery_failed", errors=STOPPED)}
    httpserver.expect_request("/v2/messages/p1").respond_with_json(told)
    text = message(provider_id="p1")
    assert reconcile(NOW + timedelta(minutes=20)) == 1
    text.refresh_from_db()
    assert (text.status, text.error_code) == ("failed", "40300")
    assert OptOut.objects.exists()


def test_looking_up_a_known_refusal_again_changes_nothing(message: MakeMessage) -> None:
    text = message("queued", generation=2)
    tell("delivery_failed", reference(text.pk), provider_id="p1", errors=STOPPED)
    apply()
    before = list(OptOut.objects.values())
    Message.objects.update(status="accepted", provider_id="p2")
    apply_waiting_events(NOW + timedelta(minutes=1))
    assert list(OptOut.objects.values()) == before
