"""Expired leases: a bad row does not block good rows."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.models import Attempt, Message, Priority
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import ACCEPTED, drain, write

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lost(grace: Church) -> list[Message]:
    """Write three messages of a worker that died in its calls; the second has its attempt row
    already."""
    for number in range(3):
        write(grace, to=f"+1312555000{number}")
    now = timezone.now()
    rows = claim.claim(Turn(grace.pk, Priority.REPLY, "telnyx"), 10, now)
    claim.start_calls(rows, now)
    Attempt.objects.create(
        message=rows[1], number=1, started_at=now, duration_ms=1, outcome="ambiguous"
    )
    return rows


def statuses() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("status", flat=True))


def test_a_bad_row_is_logged_and_skipped_while_the_others_return(
    lost: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    now = timezone.now() + MINUTE
    assert rescue.rescue(now) == 2
    assert statuses() == [Status.QUEUED, Status.SENDING, Status.QUEUED]
    [error] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (error.__dict__["action"], error.__dict__["message_id"]) == ("not_rescued", lost[1].pk)
    assert "+1312" not in caplog.text

    caplog.clear()
    assert rescue.rescue(now + timedelta(seconds=1)) == 0
    assert not caplog.records
    Attempt.objects.filter(message=lost[1]).delete()
    assert rescue.rescue(now + 2 * MINUTE) == 1
    assert statuses() == [Status.QUEUED] * 3


def test_an_unreachable_database_is_not_queried_per_row(
    lost: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def fail(*arguments: object) -> int:
        asked.append(arguments)
        raise OperationalError

    monkeypatch.setattr(type(Message.objects.all()), "write", fail)
    with pytest.raises(OperationalError):
        rescue.rescue(timezone.now() + MINUTE)
    assert len(asked) == 1


def test_a_text_that_telnyx_put_off_for_days_is_still_counted(grace: Church) -> None:
    """Check the counters: with a pause of a second, a message can have 86,400 calls in its day."""
    write(grace)
    Message.objects.update(calls=100_000)
    drain(ScriptedProvider(answers=[ACCEPTED])).run()
    assert Message.objects.values_list("status", "calls").get() == (Status.ACCEPTED, 100_001)
    assert Attempt.objects.get().number == 100_001


def test_ending_many_old_texts_takes_as_many_statements_as_ending_few(
    grace: Church, hope: Church
) -> None:
    def statements(texts: int) -> int:
        now = timezone.now()
        for number in range(texts):
            for church in (grace, hope):
                write(church, to=f"+1312555{number:04}", now=now - timedelta(days=2))
        with CaptureQueriesContext(connection) as asked:
            assert rescue.expire(now) == 2 * texts
        return len(asked)

    assert statements(40) == statements(3)
