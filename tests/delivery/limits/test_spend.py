"""The daily cap is exact, loses no message, and is announced."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from delivery.accept import accept_batch
from delivery.drafts import Draft
from delivery.limits import spend
from delivery.models import Message, Priority, SpendLimit, SpentHour
from delivery.signals import cap_changed
from delivery.status_report import report, why_stuck
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from realtime.models import Event
from tests.delivery.accounts import with_provider
from tests.delivery.engine.scripted import LOST, UNAVAILABLE, drain, write

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 29, 12, 20, tzinfo=UTC)
TWO_PARTS = "x" * 200


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def capped(settings: Any) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "DAILY_PARTS": 10}


def broadcast(
    church: Church, texts: int, *, text: str = TWO_PARTS, now: datetime = NOON
) -> list[Message]:
    drafts = [Draft(to=f"+1312555{number:04}", text=text) for number in range(texts)]
    batch = accept_batch(church, drafts, batch=int(now.timestamp()), now=now).batch
    return list(Message.objects.filter(batch=batch).order_by("pk"))


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Message.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_messages_beyond_the_cap_wait_until_the_day_is_over(
    capped: None, grace: Church, clock: Clock
) -> None:
    broadcast(grace, 8)
    provider = ScriptedProvider()
    engine = drain(provider, clock, size=8)
    engine.run()
    assert (len(provider.requests), statuses()) == (5, {"accepted": 5, "queued": 3})
    for hours in (6, 12, 18, 24):
        clock.now = NOON + timedelta(hours=hours)
        engine.run()
    assert statuses() == {"accepted": 5, "queued": 3}
    clock.now = NOON.replace(minute=1) + timedelta(hours=25)
    engine.run()
    assert statuses() == {"accepted": 8}


def test_a_reached_cap_is_shown_and_signalled_once(
    capped: None, grace: Church, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broadcast(grace, 200)
    with caplog.at_level(logging.ERROR, "delivery"):
        drain(ScriptedProvider(), clock, size=8).run()
    assert [getattr(record, "action", "") for record in caplog.records] == ["daily_cap_reached"]
    text = Message.objects.filter(status="queued").latest("pk")
    assert (text.error_code, text.error_class) == ("daily_cap", "waiting")
    until = NOON.replace(minute=0) + timedelta(hours=25)
    assert report(grace.pk, now=NOON)["spend"] == {"parts": 10, "cap": 10, "until": until}
    assert report(now=NOON)["capped"] == [{"tenant": "Grace Church", "since": NOON, "until": until}]
    assert why_stuck(NOON + timedelta(minutes=10), after=timedelta(minutes=1)) == ""
    told = Event.objects.get(type="delivery.spend")
    assert '"parts":10' in told.body.replace(" ", "")


def test_a_chosen_expiry_stays_and_the_default_expiry_restarts(
    capped: None, grace: Church, clock: Clock
) -> None:
    broadcast(grace, 5)
    short = write(
        grace,
        now=NOON + timedelta(minutes=1),
        expires_at=NOON + timedelta(hours=2),
        to="+13125559001",
    )
    usual = write(grace, now=NOON + timedelta(minutes=1), to="+13125559002")
    engine = drain(ScriptedProvider(), clock, size=8)
    Message.objects.filter(batch=None).update(priority=Priority.BULK)
    for hours in (0, 1, 3, 24, 26):
        clock.now = NOON + timedelta(hours=hours, minutes=2)
        engine.run()
    short.refresh_from_db()
    usual.refresh_from_db()
    assert (short.status, usual.status) == ("expired", "accepted")
    assert usual.expires_at == clock.now + timedelta(hours=24)


def test_attempts_count_once_and_a_new_send_counts_again(grace: Church, clock: Clock) -> None:
    write(grace, now=NOON)
    engine = drain(ScriptedProvider(answers=[UNAVAILABLE, LOST, UNAVAILABLE, UNAVAILABLE]), clock)
    for _ in range(5):
        engine.run()
        clock.now += timedelta(minutes=1)
    assert spend.current(grace.pk, clock.now).parts == 1
    Message.objects.update(
        status="queued",
        generation=2,
        attempts=0,
        next_attempt_at=clock.now,
        ambiguous=False,
        dead_since=None,
    )
    drain(ScriptedProvider(), clock).run()
    assert spend.current(grace.pk, clock.now).parts == 2


def test_the_cap_of_one_church_does_not_block_another(
    capped: None, grace: Church, hope: Church, clock: Clock
) -> None:
    broadcast(grace, 8)
    broadcast(hope, 3)
    drain(ScriptedProvider(), clock, size=8).run()
    assert Message.objects.filter(tenant=hope, status="accepted").count() == 3


def test_a_church_cap_replaces_the_default_and_releases_waiting_messages(
    capped: None, grace: Church, clock: Clock
) -> None:
    broadcast(grace, 8)
    engine = drain(ScriptedProvider(), clock, size=8)
    engine.run()
    heard: list[Any] = []
    cap_changed.connect(
        lambda **given: heard.append(given["tenant_id"]), weak=False, dispatch_uid="t"
    )
    SpendLimit.objects.filter(tenant=grace).update(cap=100)
    assert spend.release(grace.pk, NOON) == 3
    engine.run()
    cap_changed.disconnect(dispatch_uid="t")
    assert statuses() == {"accepted": 8}
    assert (spend.current(grace.pk, NOON).until, heard) == (None, [grace.pk])


@pytest.mark.parametrize(("cap", "sent"), [(0, 0), (1, 0), (None, 8)])
def test_a_cap_of_zero_holds_all_and_no_cap_holds_none(
    cap: int | None, sent: int, grace: Church, clock: Clock, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "DAILY_PARTS": cap}
    broadcast(grace, 8)
    drain(ScriptedProvider(), clock, size=8).run()
    assert statuses().get("accepted", 0) == sent
    assert spend.current(grace.pk, NOON).parts == 2 * sent


def test_two_workers_together_never_pass_the_cap(grace: Church, settings: Any) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "DAILY_PARTS": 61}
    now = datetime.now(UTC)
    broadcast(grace, 100, now=now)
    provider = ScriptedProvider()

    def work() -> None:
        drain(provider, lambda: now, size=4).run(budget=20)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (len(provider.requests), statuses()) == (30, {"accepted": 30, "queued": 70})
    assert spend.current(grace.pk, now).parts == 60


def test_the_cost_of_counting_does_not_grow_with_history(grace: Church, clock: Clock) -> None:
    SpentHour.objects.bulk_create(
        SpentHour(tenant=grace, hour=NOON.replace(minute=0) - timedelta(hours=hours), parts=1)
        for hours in range(48, 3000)
    )
    write(grace, now=NOON)
    with CaptureQueriesContext(connection) as asked:
        drain(ScriptedProvider(), clock).run()
    assert spend.current(grace.pk, NOON).parts == 1
    assert SpentHour.objects.filter(tenant=grace).count() <= 3
    assert sum("spenthour" in query["sql"] for query in asked) <= 6


def test_a_text_sent_inside_a_request_waits_too(grace: Church, settings: Any) -> None:
    settings.DELIVERY = {
        **with_provider(settings, BACKEND="delivery.testing.ScriptedProvider"),
        "MODE": "sync", "DAILY_PARTS": 0,
    }  # fmt: skip
    text = write(grace)
    text.refresh_from_db()
    assert (text.status, text.error_code) == ("queued", "daily_cap")
