from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from delivery import retention
from delivery.limits import holds, slowdowns
from delivery.models import Attempt, BreakerTransition, ForcedBreaker, Message, WebhookEvent
from delivery.status_report import limits_of, report, why_stuck
from koinonia.models import Church
from tests.delivery.accounts import account

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def text(church: Church, status: str, *, at: datetime = NOW - MINUTE, **over: Any) -> Message:
    values = {
        "to_number": "+13125550001", "from_number": church.phone_number, "text": "Hello",
        "created_at": at, "updated_at": at, "next_attempt_at": at, **over,
    }  # fmt: skip
    return Message.objects.create(tenant=church, status=status, **values)


def event(**times: datetime | None) -> WebhookEvent:
    number = WebhookEvent.objects.count()
    values = {"received_at": NOW, "occurred_at": NOW, "due_at": NOW, **times}
    return WebhookEvent.objects.create(
        event_id=f"e{number}", event_type="message.sent", payload={}, **values
    )


def test_the_report_of_one_church_counts_its_own_texts(grace: Church, hope: Church) -> None:
    for status in ("queued", "dead", "unknown", "delivered", "delivered", "failed"):
        text(grace, status)
    text(grace, "dead", discarded_at=NOW)
    text(hope, "queued", at=NOW - timedelta(hours=1))
    found = report(grace.pk, now=NOW)
    assert found["queue"] == {
        "scheduled": 0, "queued": 1, "sending": 0, "retrying": 0, "dead": 1, "unknown": 1,
    }  # fmt: skip
    assert found["oldest_due_seconds"] == 60
    assert found["success_rate"] == {"1h": 0.3333, "24h": 0.3333}
    assert (found["breaker"], found["hold"]) == ({"state": "closed", "until": None}, None)
    assert report(now=NOW)["oldest_due_seconds"] == 3600


def moved(name: str, after: str) -> None:
    BreakerTransition.objects.create(
        account=name, before="closed", after=after, at=NOW, until=NOW + MINUTE, reason="a test"
    )


def forced(name: str, state: str) -> None:
    ForcedBreaker.objects.create(account=name, state=state, since=NOW)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ([], "closed"),
        ([(moved, "open")], "open"),
        ([(moved, "open"), (moved, "closed")], "closed"),
        ([(moved, "half_open"), (forced, "forced_closed")], "forced_closed"),
        ([(moved, "closed"), (forced, "forced_open")], "forced_open"),
    ],
)
@pytest.mark.parametrize("held_until", ["no time", None, NOW, NOW + MINUTE])
def test_one_statement_tells_the_breaker_and_the_hold_of_an_account(
    changes: list[Any], state: str, held_until: Any, django_assert_num_queries: Any
) -> None:
    for change, word in changes:
        change(account().name, word)
    moved("another", "open")
    forced("yet another", "forced_open")
    if held_until != "no time":
        holds.hold(account(), "20012", "Payment required", now=NOW - MINUTE, until=held_until)
    with django_assert_num_queries(1):
        found = limits_of(account().alias, NOW)
    whole = report(now=NOW)
    assert found == {"breaker": whole["breaker"], "hold": whole["hold"], "slowed": {}}
    assert found["breaker"]["state"] == state
    assert (found["hold"] is not None) == (held_until in (None, NOW + MINUTE))


def test_each_of_thirty_days_has_its_counts(grace: Church) -> None:
    text(grace, "delivered")
    text(grace, "failed", at=NOW - timedelta(days=2))
    text(grace, "delivered", at=NOW - timedelta(days=31))
    days = report(grace.pk, now=NOW)["days"]
    assert len(days) == 30
    assert days[-1] == {"date": NOW.date(), "sent": 1, "delivered": 1, "failed": 0, "dead": 0}
    assert days[-3]["failed"] == 1
    assert sum(day["sent"] for day in days) == 2


def test_a_church_without_texts_has_no_rate(grace: Church) -> None:
    found = report(grace.pk, now=NOW)
    assert (found["oldest_due_seconds"], found["success_rate"]) == (None, {"1h": None, "24h": None})


def test_a_due_message_without_a_worker_is_stuck(grace: Church) -> None:
    due = text(grace, "queued", at=NOW - 5 * MINUTE)
    assert "300 s" in why_stuck(NOW, after=MINUTE)
    assert why_stuck(NOW, after=10 * MINUTE) == ""
    Attempt.objects.create(
        message=due, number=1, started_at=NOW, duration_ms=1, outcome="throttled"
    )
    assert why_stuck(NOW, after=MINUTE) == "", "A long queue that is worked off is not stuck."


def test_a_worker_that_a_person_has_slowed_is_not_stuck_between_two_calls(grace: Church) -> None:
    due = text(grace, "queued", at=NOW - 5 * MINUTE)
    Attempt.objects.create(
        message=due, number=1, started_at=NOW - 2 * MINUTE, duration_ms=1, outcome="accepted"
    )
    assert "300 s" in why_stuck(NOW, after=MINUTE)
    slowdowns.slow(account(), rate=0.1, by=None, reason="A test.", until=NOW + 60 * MINUTE, now=NOW)
    assert why_stuck(NOW, after=MINUTE) == ""
    Attempt.objects.update(started_at=NOW - 4 * MINUTE)
    assert "300 s" in why_stuck(NOW, after=MINUTE)


def test_a_held_account_is_not_stuck(grace: Church) -> None:
    text(grace, "queued", at=NOW - 5 * MINUTE)
    holds.hold(account(), "20100", "Insufficient funds", now=NOW)
    assert why_stuck(NOW, after=MINUTE) == ""


def test_webhooks_that_nobody_applies_are_stuck(grace: Church) -> None:
    event(due_at=NOW - 5 * MINUTE)
    assert "Webhook" in why_stuck(NOW, after=MINUTE)


def test_the_command_prints_json_and_exits_1_when_stuck(grace: Church) -> None:
    text(grace, "queued", at=timezone.now() - 5 * MINUTE)
    out = StringIO()
    with pytest.raises(SystemExit) as exit_:
        call_command("delivery_status", "--json", "--check", stdout=out)
    assert exit_.value.code == 1
    assert json.loads(out.getvalue())["queue"]["queued"] == 1


def test_the_command_prints_text_for_people(grace: Church) -> None:
    text(grace, "dead")
    out = StringIO()
    call_command("delivery_status", "--check", stdout=out)
    assert "Queue:      1 dead" in out.getvalue()
    assert "Nothing is stuck." in out.getvalue()


def test_old_events_are_deleted_and_dead_letters_are_kept(grace: Church) -> None:
    month, year = timedelta(days=31), timedelta(days=365)
    letter = text(grace, "dead", at=NOW - year)
    event(applied_at=NOW - month)
    event(applied_at=NOW - MINUTE)
    event(received_at=NOW - month)
    event(received_at=NOW - year)
    expected = {
        "texts": 0, "webhook_events": 2, "status_checks": 0, "spent_hours": 0, "audit_rows": 0,
    }  # fmt: skip
    assert retention.prune(NOW, dry_run=True) == expected
    assert WebhookEvent.objects.count() == 4
    assert retention.prune(NOW) == expected
    assert WebhookEvent.objects.count() == 2
    assert Message.objects.get() == letter


def test_an_overdue_probe_counts_as_stuck(grace: Church) -> None:
    text(grace, "queued", at=NOW - 10 * MINUTE)
    opened = BreakerTransition.objects.create(
        account=account().name, before="closed", after="open", reason="test",
        at=NOW - 5 * MINUTE, until=NOW + MINUTE,
    )  # fmt: skip
    assert why_stuck(NOW, after=MINUTE) == ""
    BreakerTransition.objects.filter(pk=opened.pk).update(until=NOW - 2 * MINUTE)
    assert "no worker has called" in why_stuck(NOW, after=MINUTE)


@pytest.mark.django_db
def test_settings_that_block_all_sending_count_as_stuck(settings: Any) -> None:
    settings.USE_TZ = False
    said = why_stuck(timezone.now(), after=timedelta(hours=1))
    settings.USE_TZ = True
    assert said.startswith("Nothing can be sent: USE_TZ is False")
    assert why_stuck(timezone.now(), after=timedelta(hours=1)) == ""
