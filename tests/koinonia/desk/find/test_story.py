"""The story of one text: all parts are on the page, and number and words only after a click."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery import opt_outs
from delivery.limits import breaker, holds, stops
from delivery.models import (
    Attempt,
    BreakerState,
    DeadLetterAction,
    Message,
    OptOut,
    Outcome,
    SpendLimit,
    WebhookEvent,
)
from delivery.providers import registry
from delivery.statuses import Status
from delivery.tracking.events import apply_waiting_events
from koinonia.desk.find.advice import advice
from koinonia.desk.find.waiting import why_it_waits
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church
from koinonia.texts.send import send_text
from realtime.log_search import events_between
from tests.koinonia.desk.find.texts import text

NUMBER, WORDS = "+13125550177", "Ruth is in room twelve"
PROVIDER_ID = "40385f64-5717-4562-b3fc-2c963f66afa6"
NOW = timezone.now()


def report(event: str, status: str, at: datetime, grace: Church) -> WebhookEvent:
    """Store a webhook of Telnyx, as the provider sends it."""
    payload = {
        "id": PROVIDER_ID, "record_type": "message", "direction": "outbound", "text": WORDS,
        "from": {"phone_number": grace.phone_number},
        "to": [{"phone_number": NUMBER, "status": status, "carrier": "T-Mobile"}],
    }  # fmt: skip
    return WebhookEvent.objects.create(
        provider="telnyx", event_id=f"{event}-{status}", event_type=event, provider_id=PROVIDER_ID,
        occurred_at=at, received_at=at, due_at=at,
        payload={"event_type": event, "id": f"{event}-{status}", "payload": payload},
    )  # fmt: skip


@pytest.fixture
def delivered(grace: Church, grace_owner: User) -> Message:
    """Send a text through the real code, up to the report of its delivery."""
    began = NOW - timedelta(minutes=10)
    message = send_text(grace, WORDS, to=NUMBER, author=grace_owner, through="api", now=began)
    for number, (outcome, code) in enumerate(
        [(Outcome.RETRYABLE, "10037"), (Outcome.ACCEPTED, "")]
    ):
        Attempt.objects.create(
            message=message, number=number + 1, started_at=began + timedelta(seconds=number),
            duration_ms=40, outcome=outcome, http_status=503 if code else 200, code=code,
        )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(
        status=Status.ACCEPTED, provider_id=PROVIDER_ID, next_attempt_at=None
    )
    report("message.sent", "sent", began + timedelta(seconds=5), grace)
    apply_waiting_events(began + timedelta(seconds=6))
    report("message.finalized", "delivered", began + timedelta(minutes=4), grace)
    apply_waiting_events(began + timedelta(minutes=4, seconds=1))
    opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.STAFF, now=NOW)
    return Message.objects.get(pk=message.pk)


def story(client: Client, message: Message, **post: str) -> Any:
    where = f"/admin/find/{encode(message.pk)}/"
    return client.post(f"{where}{post.pop('page')}/", post) if post else client.get(where)


def test_the_page_tells_the_whole_story(support: Client, delivered: Message) -> None:
    page = story(support, delivered).content.decode()
    for part in (
        "grace-owner sent it through the API.",
        "The phone has it.",
        "HTTP 503",
        "<code>10037</code>",
        "message.sent",
        "message.finalized",
        "T-Mobile",
        "message.created: queued",
        "message.status: delivered",
        "message.confirmed: delivered",
        "Opted out of the texts of Grace Church",
    ):
        assert part in page, part


def test_number_and_words_are_hidden(support: Client, delivered: Message) -> None:
    page = story(support, delivered).content.decode()
    assert NUMBER[1:] not in page
    assert WORDS not in page
    assert "+131•••••177" in page
    assert f"{len(WORDS)} characters" in page


def test_a_click_shows_them_and_is_in_the_audit_log(
    support: Client, support_user: User, delivered: Message, grace: Church
) -> None:
    assert story(support, delivered).status_code == 200
    assert not AuditEntry.objects.filter(action="message.revealed").exists()
    assert support.get(f"/admin/find/{encode(delivered.pk)}/reveal/").status_code == 405
    answer = story(support, delivered, page="reveal")
    page = answer.content.decode()
    assert NUMBER in page
    assert WORDS in page
    assert "no-store" in answer["Cache-Control"]
    act = AuditEntry.objects.get(action="message.revealed")
    assert (act.church, act.user, act.subject_key) == (grace, support_user, delivered.pk)
    assert "support: Support looked at" in story(support, delivered).content.decode()


def test_a_user_without_that_right_cannot_reveal(support: Client, delivered: Message) -> None:
    Permission.objects.get(codename="reveal_message").group_set.clear()
    assert "Show number and words" not in story(support, delivered).content.decode()
    assert story(support, delivered, page="reveal").status_code == 403


def test_a_received_text_has_a_story_too(support: Client, grace: Church) -> None:
    received = text(grace, inbound=True)
    page = story(support, received).content.decode()
    assert "A person texted the church." in page
    assert "+131•••••177" in page
    assert "Calls to the provider" not in page


@pytest.mark.parametrize("key", ["banana", "-", "x" * 300, "%00", "Uk"])
def test_an_unknown_text_is_not_found(support: Client, key: str) -> None:
    assert support.get(f"/admin/find/{key}/").status_code == 404


@pytest.mark.parametrize("status", Status)
def test_each_state_has_a_meaning_and_a_step(grace: Church, status: Status) -> None:
    message = Message(tenant=grace, to_number=NUMBER, status=status, created_at=NOW)
    told = advice(message, NOW)
    assert told.meaning
    assert told.step
    assert NUMBER not in told.for_church
    assert told.may_retry == (status in {Status.DEAD, Status.UNKNOWN})


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("nothing", ""),
        ("stop", "Support has stopped the texts of this church."),
        ("hold", "Telnyx refuses our account"),
        ("breaker", "A person has stopped all calls to Telnyx."),
        ("limit", "reached its daily limit"),
        ("later", "It is due at "),
        ("account", "have no account gone any more"),
    ],
)
def test_a_waiting_text_says_why_it_waits(grace: Church, trouble: str, said: str) -> None:
    later = NOW + timedelta(hours=1)
    account = registry.account("telnyx")
    message = text(grace, status=Status.QUEUED, next_attempt_at=NOW - timedelta(seconds=1))
    if trouble == "stop":
        stops.stop(grace.pk, by=None, reason="a test", now=NOW)
    elif trouble == "hold":
        holds.hold(account, "http_402", "Payment required", now=NOW)
    elif trouble == "breaker":
        breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=NOW)
    elif trouble == "limit":
        SpendLimit.objects.create(tenant=grace, cap=1, reached_at=NOW, waits_until=later)
    elif trouble == "later":
        message.next_attempt_at = later
    elif trouble == "account":
        message.provider = "gone"
    found = why_it_waits(message, NOW)
    assert said in found
    assert bool(said) == bool(found)


def test_the_notes_of_support_are_in_its_story(
    support: Client, support_user: User, grace: Church
) -> None:
    message = dead(grace)
    for kind, reason in (("note", "The church was called"), ("assign", "ruth"), ("assign", "")):
        DeadLetterAction.objects.create(
            message=message, kind=kind, by=support_user, at=NOW, status="dead", generation=1,
            reason=reason,
        )  # fmt: skip
    page = story(support, message).content.decode()
    for words in ("support noted:", "The church was called", "support ended the assignment."):
        assert words in page


def test_the_pages_of_support_lead_to_the_story(support: Client, grace: Church) -> None:
    message = dead(grace)
    event = report("message.sent", "sent", NOW, grace)
    WebhookEvent.objects.filter(pk=event.pk).update(message=message, applied_at=NOW)
    link = f"/admin/find/{encode(message.pk)}/"
    for path in (f"deadletter/{message.pk}", f"webhookevent/{event.pk}"):
        assert link in support.get(f"/admin/delivery/{path}/change/").content.decode()


def dead(grace: Church, status: Status = Status.DEAD) -> Message:
    return text(
        grace, status=status, error_code="connection_failed", error_class="retryable",
        dead_since=NOW, next_attempt_at=None,
    )  # fmt: skip


def test_a_dead_letter_is_retried_from_its_story(support: Client, grace: Church) -> None:
    message = dead(grace)
    assert "Put the cause right" in story(support, message).content.decode()
    assert story(support, message, page="act", act="retry").status_code == 302
    message.refresh_from_db()
    assert message.status == Status.QUEUED
    assert AuditEntry.objects.get(action="message.retried").subject_key == message.pk


def test_a_text_that_may_have_arrived_is_retried_only_with_consent(
    support: Client, grace: Church
) -> None:
    message = dead(grace, Status.UNKNOWN)
    story(support, message, page="act", act="retry")
    page = story(support, message).content.decode()
    assert "a second copy was not allowed" in page
    story(support, message, page="act", act="retry", may_double="on")
    message.refresh_from_db()
    assert message.status == Status.QUEUED


def test_a_dead_letter_is_reviewed_and_discarded_with_a_reason(
    support: Client, grace: Church
) -> None:
    message = dead(grace)
    story(support, message, page="act", act="review")
    assert story(support, message, page="act", act="discard").status_code == 422
    story(support, message, page="act", act="discard", reason="The event is over")
    kinds = DeadLetterAction.objects.filter(message=message).values_list("kind", flat=True)
    assert sorted(kinds) == ["discard", "review"]
    page = story(support, message).content.decode()
    assert "a person discarded it" in page
    assert 'value="retry"' not in page
    story(support, message, page="act", act="discard", reason="Again")
    assert "a colleague was quicker" in story(support, message).content.decode()


def test_only_those_who_may_decide_see_the_buttons(support: Client, grace: Church) -> None:
    message = dead(grace)
    Permission.objects.get(codename="change_deadletter").group_set.clear()
    assert 'value="retry"' not in story(support, message).content.decode()
    assert story(support, message, page="act", act="retry").status_code == 403


def test_the_log_is_searched_by_time(grace: Church, grace_owner: User) -> None:
    """Compare the binary search with a walk through the log."""
    first = NOW - timedelta(hours=1)
    for minute in range(20):
        number = f"+1312555{1000 + minute}"
        send_text(
            grace, "Hello", to=number, author=grace_owner, now=first + timedelta(minutes=minute)
        )
    for minute in (-5, 0, 7, 19, 30):
        since = first + timedelta(minutes=minute, seconds=-30)
        found = events_between("church:grace", since, since + timedelta(minutes=2), most=100)
        wanted = [
            m
            for m in range(20)
            if minute <= m < minute + 2 and since <= first + timedelta(minutes=m)
        ]
        assert len(found) == len(wanted), minute
    assert events_between("church:nowhere", first, NOW, most=10) == []
