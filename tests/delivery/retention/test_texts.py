"""Old texts go with all that belongs to them, and no count, reference or opt-out suffers."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from delivery import batches
from delivery.models import (
    Archive,
    Attempt,
    BatchCount,
    DeadLetterAction,
    Message,
    OptOut,
    StatusCheck,
)
from delivery.retention import Archives, Pace, texts
from delivery.statuses import Status
from delivery.tallies.recount import fold, recount
from koinonia import retention
from koinonia.models import Broadcast, Church, Conversation
from tests.delivery.tallies.test_tallies import expected, told

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


@pytest.fixture(autouse=True)
def archive(settings: Any, tmp_path: Path) -> Path:
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.KEEP_TEXTS_DAYS = 90
    return tmp_path / "archive"


def text(
    church: Church, status: str = "delivered", at: datetime = LONG_AGO, **over: Any
) -> Message:
    inbound = status == Status.RECEIVED
    values = {
        "direction": "inbound" if inbound else "outbound", "to_number": "+13125550001",
        "from_number": "+13125550100", "text": "Hello", "created_at": at, "updated_at": at,
        "next_attempt_at": at, "status": status, **over,
    }  # fmt: skip
    return Message.objects.create(tenant=church, **values)


def prune() -> dict[str, int]:
    return dict(retention.prune(NOW))


def rows_of(archive: Path, kind: str = "texts") -> list[dict[str, str]]:
    return [
        row
        for path in sorted(archive.glob(f"{kind}-*.csv.gz"))
        for row in csv.DictReader(gzip.open(path, "rt", newline=""))
    ]


def test_texts_are_kept_forever_unless_a_setting_says_otherwise(
    grace: Church, settings: Any
) -> None:
    settings.KEEP_TEXTS_DAYS = None
    kept = text(grace, at=NOW - timedelta(days=5000))
    assert prune()["texts"] == 0
    assert Message.objects.get() == kept


def test_the_days_of_a_church_win_over_those_of_the_installation(
    grace: Church, hope: Church
) -> None:
    Church.objects.filter(pk=hope.pk).update(keep_texts_days=3650)
    text(grace)
    kept = text(hope)
    assert prune()["texts"] == 1
    assert Message.objects.get() == kept


def test_a_text_that_changed_of_late_is_kept(grace: Church) -> None:
    text(grace, updated_at=NOW - timedelta(days=1))
    text(grace, at=NOW - timedelta(days=89))
    assert prune()["texts"] == 0


@pytest.mark.parametrize("status", ["queued", "retrying", "scheduled", "accepted", "sent"])
def test_a_text_on_its_way_is_never_deleted(grace: Church, status: str) -> None:
    text(grace, status)
    assert prune()["texts"] == 0


@pytest.mark.parametrize("status", ["dead", "unknown"])
def test_a_dead_letter_goes_only_after_a_person_discarded_it(grace: Church, status: str) -> None:
    waiting = text(grace, status, dead_since=LONG_AGO)
    text(grace, status, dead_since=LONG_AGO, discarded_at=LONG_AGO)
    text(grace, "received", asks_to_stop=True, to_number="+13125550002")
    assert prune()["texts"] == 1
    assert waiting in Message.objects.all()


def test_a_dry_run_counts_and_deletes_nothing(grace: Church, archive: Path) -> None:
    text(grace)
    assert dict(retention.prune(NOW, dry_run=True))["texts"] == 1
    assert Message.objects.count() == 1
    assert not archive.exists()


def test_what_belongs_to_a_text_goes_with_it_into_the_archive(grace: Church, archive: Path) -> None:
    letter = text(grace, "dead", discarded_at=LONG_AGO, text='She said "no", twice\nand =1+1')
    Attempt.objects.create(
        message=letter, number=1, started_at=LONG_AGO, duration_ms=20, outcome="permanent",
        code="40310",
    )  # fmt: skip
    DeadLetterAction.objects.create(
        message=letter,
        kind="discard",
        at=LONG_AGO,
        status="dead",
        generation=1,
        reason="a landline",
    )
    StatusCheck.objects.create(message=letter, next_at=LONG_AGO)
    prune()
    (row,) = rows_of(archive)
    assert (row["id"], row["text"]) == (str(letter.pk), letter.text)
    assert json.loads(row["attempts"])[0]["code"] == "40310"
    assert json.loads(row["decisions"])[0]["reason"] == "a landline"
    assert not Attempt.objects.exists()
    assert not DeadLetterAction.objects.exists()
    assert Archive.objects.get().rows == 1
    assert [path.stat().st_mode & 0o077 for path in archive.iterdir()] == [0]


def test_an_opt_out_outlives_the_texts(grace: Church) -> None:
    OptOut.objects.create(
        tenant=grace, number="+13125550001", source="keyword", created_at=LONG_AGO
    )
    text(grace, "received")
    prune()
    assert OptOut.objects.count() == 1


def test_a_conversation_shows_its_last_text_that_is_left(grace: Church) -> None:
    talk = Conversation.objects.create(church=grace, phone="+13125550001", unread_count=2)
    waiting = text(grace, "dead", thread=talk.pk)
    gone = text(grace, "received", thread=talk.pk)
    Conversation.objects.filter(pk=talk.pk).update(last_message=gone)
    prune()
    talk.refresh_from_db()
    assert (talk.last_message_id, talk.unread_count) == (waiting.pk, 1)
    Message.objects.filter(pk=waiting.pk).update(discarded_at=LONG_AGO)
    prune()
    talk.refresh_from_db()
    assert talk.last_message is None


def test_a_broadcast_keeps_its_counts_and_goes_after_its_last_text(
    grace: Church, archive: Path
) -> None:
    broadcast = Broadcast.objects.create(
        church=grace, text="Dear all", audience={"all": True}, total=4, created_at=LONG_AGO
    )
    letters = [
        text(grace, status, batch=broadcast.pk, to_number=f"+1312555000{number}")
        for number, status in enumerate(["delivered", "delivered", "failed", "dead"])
    ]
    before = batches.counts_of([broadcast.pk])
    assert (prune()["texts"], prune()["broadcasts"]) == (3, 0)
    assert batches.counts_of([broadcast.pk]) == before
    batches.fold()
    batches.kept.recount(connection.alias)
    assert batches.counts_of([broadcast.pk]) == before
    Message.objects.filter(pk=letters[3].pk).update(discarded_at=LONG_AGO)
    assert prune()["broadcasts"] == 1
    assert [row["text"] for row in rows_of(archive, "koinonia_broadcast")] == ["Dear all"]
    assert not BatchCount.objects.filter(batch=broadcast.pk).exclude(number=0).exists()


def test_the_tallies_stay_equal_to_the_texts(grace: Church) -> None:
    for status in ("delivered", "failed", "dead"):
        text(grace, status, discarded_at=LONG_AGO)
        text(grace, status, at=NOW, to_number="+13125550009")
    fold(NOW)
    prune()
    recount(timezone.now())
    fold(NOW)
    assert sum(told().values(), start=type(next(iter(told().values())))()) == sum(
        expected().values(), start=type(next(iter(told().values())))()
    )


def test_many_texts_go_in_small_transactions(grace: Church, archive: Path) -> None:
    Message.objects.bulk_create(
        Message(
            tenant=grace, status="delivered", to_number=f"+1312555{number:04}",
            from_number="+13125550100", text="Hello", created_at=LONG_AGO, updated_at=LONG_AGO,
        )
        for number in range(250)
    )  # fmt: skip
    pace = Pace(rest=lambda seconds: None)
    pace.rows = 30
    archives = Archives(archive, NOW)
    assert texts.delete_old(NOW, archives, pace) == 250
    archives.close()
    assert len({row["id"] for row in rows_of(archive)}) == len(rows_of(archive)) == 250


def test_no_archive_is_kept_without_a_folder(grace: Church, settings: Any) -> None:
    settings.ARCHIVE_DIR = None
    text(grace)
    assert prune()["texts"] == 1
    assert not Archive.objects.exists()
