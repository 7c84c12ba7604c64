"""Under load webhook events are applied in groups, to reduce contention for the database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from delivery import tracking
from delivery.models import WebhookEvent
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, inbound, outbound

pytestmark = pytest.mark.django_db


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def come(status: str) -> None:
    store(event("message.sent", outbound("p1", status)))


def waiting() -> int:
    return WebhookEvent.objects.waiting().count()


def engine(clock: Clock) -> Drain:
    return Drain(Threads(1, ScriptedProvider), clock=clock)


def test_one_event_is_applied_at_once_and_those_after_it_together(message: MakeMessage) -> None:
    message(provider_id="p1")
    clock = Clock()
    drain = engine(clock)
    come("sent")
    drain.step()
    assert waiting() == 0
    for _ in range(3):
        clock.now += timedelta(seconds=0.05)
        come("delivered")
        drain.step()
    assert waiting() == 3
    clock.now += timedelta(seconds=0.05)
    drain.step()
    assert waiting() == 0


def test_gathered_events_are_applied_before_the_worker_is_idle(message: MakeMessage) -> None:
    message(provider_id="p1")
    clock = Clock()
    drain, later = engine(clock), iter(["delivered"])

    def time_passes() -> bool:
        clock.now += timedelta(seconds=0.1)
        for status in later:
            come(status)
        return False

    drain.stopping = time_passes
    come("sent")
    drain.step()
    drain.run()
    assert waiting() == 0


def test_a_due_text_waits_for_one_slice_of_a_hundred_and_twenty_events(
    message: MakeMessage,
) -> None:
    for number in range(120):
        message(provider_id=f"p{number}", to_number=f"+1312555{number:04}")
        store(event("message.sent", outbound(f"p{number}", "sent")))
    retry = message(Status.RETRYING, to_number="+13125559999", attempts=1, calls=1)
    clock = Clock()
    drain = engine(clock)
    drain.step()
    retry.refresh_from_db()
    assert (retry.status, waiting()) == (Status.SENDING, 70)
    drain.step()
    drain.step()
    assert waiting() == 0


def test_due_texts_are_claimed_before_reports_and_after_a_stop(
    message: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    message(provider_id="p1")
    due = message(Status.QUEUED, to_number="+13125559999")
    seen: list[tuple[int, str]] = []
    apply = tracking.apply_waiting_events

    def watch(now: datetime, limit: int = 200) -> int:
        due.refresh_from_db()
        seen.append((waiting(), due.status))
        return apply(now, limit)

    monkeypatch.setattr(tracking, "apply_waiting_events", watch)
    come("sent")
    engine(Clock()).step()
    assert seen == [(1, Status.SENDING)]
    seen.clear()
    due = message(Status.QUEUED, to_number=MEMBER)
    store(event("message.received", inbound("i1", "STOP")))
    engine(Clock()).step()
    due.refresh_from_db()
    assert (seen[0], due.status) == ((1, Status.QUEUED), Status.SUPPRESSED)


def test_events_are_applied_in_large_groups_while_no_text_is_due(message: MakeMessage) -> None:
    message(provider_id="p1")
    for _ in range(120):
        come("sent")
    engine(Clock()).step()
    assert waiting() == 0
