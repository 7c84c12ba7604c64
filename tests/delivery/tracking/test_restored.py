"""After a restore no text is sent twice: what may have been sent is held, and found at the provider."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer

from delivery.dead_letters import retry
from delivery.models import Message, NightlyRun
from delivery.queue.due import anything_due
from delivery.restored import CODE, IDS_SKIPPED, end_leases, hold_unsent, skip_ids
from delivery.statuses import Status
from delivery.tracking.events import apply_waiting_events
from delivery.tracking.watchdog import reconcile_now
from tests.delivery.accounts import with_provider
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage, store
from tests.delivery.webhooks.signing import outbound

pytestmark = pytest.mark.django_db

ORIGIN = "https://texts.example"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RETRYING, Status.SCHEDULED])
def test_a_waiting_text_is_held_and_not_sent(message: MakeMessage, status: Status) -> None:
    text = message(status)
    assert hold_unsent(NOW) == 1
    text.refresh_from_db()
    assert (text.status, text.error_code, text.ambiguous) == (Status.UNKNOWN, CODE, True)
    assert not anything_due(NOW + timedelta(days=1))


def test_a_text_in_the_hands_of_a_worker_is_held(message: MakeMessage) -> None:
    lease = {"lease_token": "6d3f2a60-5f0e-4a8e-9a43-6b1b52a6a7b1", "lease_until": NOW}
    text = message(Status.SENDING, claimed_from=Status.QUEUED, **lease)
    hold_unsent(NOW)
    text.refresh_from_db()
    assert (text.status, text.lease_token) == (Status.UNKNOWN, None)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.DELIVERED, Status.DEAD])
def test_other_texts_stay_as_they_are(message: MakeMessage, status: Status) -> None:
    text = message(status)
    assert hold_unsent(NOW) == 0
    text.refresh_from_db()
    assert text.status == status


def test_a_text_that_is_due_later_stays_scheduled(message: MakeMessage) -> None:
    message(Status.SCHEDULED, next_attempt_at=NOW + timedelta(hours=1))
    assert hold_unsent(NOW) == 0


def test_all_texts_are_held_in_several_transactions(message: MakeMessage) -> None:
    for number in range(201):
        message(Status.QUEUED, to_number=f"+1312555{number:04}")
    assert hold_unsent(NOW) == 201


def test_a_held_text_that_was_sent_is_found_at_the_provider(
    message: MakeMessage, httpserver: HTTPServer, settings: Settings
) -> None:
    settings.DELIVERY = with_provider(settings, API_BASE=httpserver.url_for("/v2"), API_KEY="K")
    text = message(Status.QUEUED, callback_origin=ORIGIN)
    url = f"{ORIGIN}/webhooks/telnyx/m{text.pk}/"
    record = {
        "uuid": "p1", "cld": MEMBER, "cli": text.from_number, "direction": "outbound",
        "created_at": NOW.isoformat(), "parts": 1, "delivery_status_webhook_url": url,
    }  # fmt: skip
    httpserver.expect_request("/v2/detail_records").respond_with_json(
        {"data": [record], "meta": {"total_pages": 1}}
    )
    httpserver.expect_request("/v2/messages/p1").respond_with_json(
        {"data": outbound("p1", "delivered", webhook_url=url)}
    )
    hold_unsent(NOW)
    reconcile_now(NOW + timedelta(minutes=20))
    text.refresh_from_db()
    assert (text.status, text.provider_id) == (Status.DELIVERED, "p1")


def test_a_late_report_settles_a_held_text(message: MakeMessage) -> None:
    text = message(Status.QUEUED, callback_origin=ORIGIN)
    hold_unsent(NOW)
    store({"data": {
        "id": "e1", "event_type": "message.finalized", "occurred_at": NOW.isoformat(),
        "payload": outbound("p1", "delivered"),
    }}, ref=f"m{text.pk}")  # fmt: skip
    apply_waiting_events(NOW)
    text.refresh_from_db()
    assert text.status == Status.DELIVERED


def test_a_person_may_send_a_held_text_after_all(message: MakeMessage) -> None:
    text = message(Status.QUEUED)
    hold_unsent(NOW)
    held = Message.objects.filter(pk=text.pk)
    assert retry(held, by=None, now=NOW).refused == [(text.pk, "may_double_required")]
    assert retry(held, by=None, now=NOW, may_double=True).retried == 1


def test_a_new_text_has_an_id_that_no_lost_text_had(message: MakeMessage) -> None:
    before = message().pk
    told = skip_ids()
    assert message().pk == told > before + IDS_SKIPPED


def test_the_lease_of_a_lost_worker_ends() -> None:
    NightlyRun.objects.create(name="nightly", lease_until=NOW, done_at=NOW)
    end_leases()
    assert NightlyRun.objects.get().lease_until is None
