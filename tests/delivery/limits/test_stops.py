"""The stop of one tenant by a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from delivery import status_report
from delivery.limits import stops
from delivery.models import Message, TenantStop
from delivery.queue import claim
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.signals import tenant_stop_changed
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import MakeLetter, letter

__all__ = ["letter"]
pytestmark = pytest.mark.django_db(transaction=True)

REASON = "The office asked us."


def due(letter: MakeLetter, tenant: Church, number: str = "+13125550001") -> Message:
    now = timezone.now()
    return letter(
        "queued", tenant=tenant, to_number=number, from_number=tenant.phone_number, dead_since=None,
        error_code="", error_title="", error_class="", attempts=0, calls=0, claims=0, ambiguous=False,
        created_at=now, updated_at=now, next_attempt_at=now, expires_at=now + timedelta(hours=24),
    )  # fmt: skip


class CountedThreads(Threads):
    """Threads without threads: they keep the jobs that they are given."""

    def __init__(self) -> None:
        super().__init__(0)
        self.size = 8


def drain_once() -> set[int]:
    """Run one step of a worker. Return the keys of the messages that it took."""
    threads = CountedThreads()
    worker = Drain(threads)
    worker.step()
    taken = {job.message.pk for job in threads.in_flight.values()}
    claim.put_back([job.message for job in threads.in_flight.values()])
    return taken


def test_only_the_texts_of_the_stopped_tenant_wait(
    letter: MakeLetter, grace: Church, hope: Church
) -> None:
    mine, other = due(letter, grace), due(letter, hope, "+13125550002")
    stops.stop(grace.pk, by=None, reason=REASON, now=timezone.now())
    assert drain_once() == {other.pk}
    stops.start(grace.pk, by=None, now=timezone.now())
    assert drain_once() == {mine.pk, other.pk}


def test_jobs_that_wait_for_a_thread_are_given_back(letter: MakeLetter, grace: Church) -> None:
    message = due(letter, grace)
    threads = CountedThreads()
    worker = Drain(threads)
    worker.step()
    assert len(threads.in_flight) == 1
    stops.stop(grace.pk, by=None, reason=REASON, now=timezone.now())
    worker.clock = lambda: timezone.now() + timedelta(seconds=2)
    worker.step()
    assert threads.in_flight == {}
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("queued", 0)


def test_a_stop_ends_at_its_time_and_is_told_once(grace: Church) -> None:
    now = timezone.now()
    told: list[Any] = []

    def hear(*, tenant_id: Any, **_: Any) -> None:
        told.append(tenant_id)

    tenant_stop_changed.connect(hear)
    try:
        stops.stop(grace.pk, by=None, reason=REASON, until=now + timedelta(hours=1), now=now)
        later = now + timedelta(hours=1)
        assert stops.current(grace.pk, later) is None
        stops.end_expired(later)
        stops.end_expired(later)
    finally:
        tenant_stop_changed.disconnect(hear)
    assert told == [grace.pk, grace.pk]
    assert TenantStop.objects.get().ended_by == stops.BY_TIME


def test_a_second_stop_replaces_the_first_and_the_history_keeps_both(
    grace: Church, grace_owner: User
) -> None:
    now = timezone.now()
    stops.stop(grace.pk, by=grace_owner, reason="first", now=now)
    stops.stop(grace.pk, by=grace_owner, reason="second", now=now)
    rows = list(TenantStop.objects.order_by("pk").values_list("reason", "ended_by"))
    assert rows == [("first", "grace-owner"), ("second", "")]
    assert stops.stopped(now) == {grace.pk}


def test_a_stop_needs_a_reason(grace: Church) -> None:
    with pytest.raises(ValueError, match="reason"):
        stops.stop(grace.pk, by=None, reason="  ", now=timezone.now())


def test_the_report_shows_the_stop_as_an_order_and_not_as_stuck(
    letter: MakeLetter, grace: Church
) -> None:
    now = timezone.now()
    due(letter, grace)
    Message.objects.update(next_attempt_at=now - timedelta(hours=1))
    assert status_report.why_stuck(now, after=timedelta(minutes=5)) != ""
    stops.stop(grace.pk, by=None, reason=REASON, now=now)
    assert status_report.why_stuck(now, after=timedelta(minutes=5)) == ""
    assert status_report.report(grace.pk, now=now)["breaker"]["state"] == "forced_open"
    assert status_report.report(now=now)["breaker"]["state"] == "closed"
