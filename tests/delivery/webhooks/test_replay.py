"""Replay of stored events: harmless a second time, and the way out for events without a text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from delivery.models import Direction, Message, WebhookEvent
from delivery.statuses import Status
from delivery.tracking.events import apply_waiting_events
from delivery.webhooks import replay
from koinonia.models import Church
from tests.delivery.webhooks.stored_events import NOW, PERSON, event, sent

pytestmark = pytest.mark.django_db


def test_a_replayed_report_changes_nothing_a_second_time(grace: Church) -> None:
    message, one = sent(grace), event()
    apply_waiting_events(NOW)
    message.refresh_from_db()
    assert message.status == Status.DELIVERED
    later = NOW + timedelta(minutes=1)
    assert replay.replay([one.pk], later) == 1
    apply_waiting_events(later)
    one.refresh_from_db()
    assert (one.result, one.applied_at) == (WebhookEvent.Result.SUPERSEDED, later)
    message.refresh_from_db()
    assert (message.status, message.updated_at) == (Status.DELIVERED, NOW)


def test_an_older_report_that_is_replayed_does_not_go_back(grace: Church) -> None:
    message = sent(grace)
    older = event("message.sent", "sent", at=NOW - timedelta(minutes=9))
    event()
    apply_waiting_events(NOW)
    replay.replay([older.pk], NOW + timedelta(seconds=1))
    apply_waiting_events(NOW + timedelta(seconds=2))
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_a_text_of_a_person_is_not_stored_twice(grace: Church) -> None:
    one = event("message.received", from_number=PERSON, to_number=str(grace.phone_number))
    apply_waiting_events(NOW)
    stored = Message.objects.get(direction=Direction.INBOUND)
    assert replay.replay([one.pk], NOW + timedelta(seconds=1)) == 0
    # Its sender asked for the deletion: it must not come back.
    stored.delete()
    assert replay.replay([one.pk], NOW + timedelta(seconds=2)) == 0
    apply_waiting_events(NOW + timedelta(seconds=3))
    assert not Message.objects.exists()


def test_a_text_to_a_number_is_stored_once_the_number_has_a_church(grace: Church) -> None:
    one = event("message.received", from_number=PERSON, to_number="+13125550999")
    apply_waiting_events(NOW + timedelta(hours=2))
    one.refresh_from_db()
    assert one.result == WebhookEvent.Result.NOT_OURS
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550999")
    assert replay.replay([one.pk], NOW + timedelta(hours=3)) == 1
    apply_waiting_events(NOW + timedelta(hours=3))
    assert Message.objects.get().text == "the secret words"


def test_an_event_is_unmatched_after_a_minute(grace: Church) -> None:
    event(event_id="young", at=NOW)
    old = event(event_id="old")
    assert list(replay.unmatched(NOW)) == [old]
    assert replay.count_unmatched(NOW) == 1
    assert "No text has this id" in replay.advice(old)


def test_an_unmatched_event_can_be_closed_once(grace: Church) -> None:
    one = event()
    assert replay.give_up([one.pk], NOW) == 1
    assert replay.give_up([one.pk], NOW) == 0
    assert replay.count_unmatched(NOW) == 0
    one.refresh_from_db()
    assert one.result == WebhookEvent.Result.NOT_OURS


@pytest.mark.parametrize("kind", [*WebhookEvent.Result.values, "", "message.received"])
def test_there_is_advice_about_each_event(kind: str) -> None:
    result = kind if kind in WebhookEvent.Result.values else ""
    one = WebhookEvent(event_type=kind, result=result, applied_at=NOW if result else None)
    assert replay.advice(one).endswith(".")
