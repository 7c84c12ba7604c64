from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import DataError, OperationalError

from delivery.webhooks.event_rows import EventRow
from delivery.webhooks.spool import Spool, SpoolFullError, Waiting

NOW = datetime(2026, 11, 22, 14, 3, 7, 412000, tzinfo=UTC)
PLENTY = 10_000_000


def row(number: int) -> EventRow:
    payload = {"id": f"p{number}", "text": "Äpfel\nund \U0001f34e"}
    return EventRow("telnyx", f"e{number}", "message.sent", f"p{number}", "m7", NOW, NOW, payload)


class Database:
    """Keep what is written, once per event; refuse it while the database is ``away``."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []
        self.away = False
        self.refused = ""

    def write(self, rows: Sequence[EventRow]) -> None:
        if self.away:
            raise OperationalError("The database is away.")
        if any(row.event_id == self.refused for row in rows):
            raise DataError("no such text")
        self.rows += [row for row in rows if row not in self.rows]


def nothing() -> None:
    return


@pytest.fixture
def database() -> Database:
    return Database()


def events(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.events"))


def test_what_was_spooled_is_replayed_in_order_and_forgotten(
    tmp_path: Path, database: Database
) -> None:
    spool = Spool(tmp_path / "spool", PLENTY)
    for number in range(5):
        spool.append([row(2 * number), row(2 * number + 1)])
    assert spool.waiting().events == 10
    assert spool.replay(database.write, nothing) == 10
    assert database.rows == [row(number) for number in range(10)]
    assert spool.waiting() == Waiting(0, 0)
    assert not spool.has_files()


def test_another_process_replays_after_a_restart(tmp_path: Path, database: Database) -> None:
    code = (
        "import os, sys, django; django.setup();"
        "from tests.delivery.webhooks.test_spool import Spool, row;"
        "Spool(sys.argv[1], 10**7).append([row(1), row(2)]); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -9
    assert Spool(tmp_path, PLENTY).replay(database.write, nothing) == 2
    assert database.rows == [row(1), row(2)]


def test_a_file_that_a_living_process_writes_is_left_to_it(
    tmp_path: Path, database: Database
) -> None:
    ours, other = Spool(tmp_path, PLENTY), Spool(tmp_path, PLENTY)
    other.append([row(1)])
    ours.append([row(2)])
    assert ours.waiting().events == 2
    assert ours.replay(database.write, nothing) == 1
    assert other.replay(database.write, nothing) == 1
    assert database.rows == [row(2), row(1)]


def test_a_replay_that_fails_keeps_every_record(tmp_path: Path, database: Database) -> None:
    spool = Spool(tmp_path, PLENTY)
    spool.append([row(number) for number in range(3)])
    database.away = True
    with pytest.raises(OperationalError):
        spool.replay(database.write, nothing)
    assert spool.waiting().events == 3
    spool.append([row(3)])
    database.away = False
    assert spool.replay(database.write, nothing) == 4
    assert database.rows == [row(number) for number in range(4)]


def test_a_record_that_the_database_refuses_does_not_block_others(
    tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, PLENTY)
    spool.append([row(number) for number in range(5)])
    database.refused = "e3"
    spool.replay(database.write, nothing)
    assert database.rows == [row(0), row(1), row(2), row(4)]
    [aside] = tmp_path.glob("*.damaged")
    assert b'"e3"' in aside.read_bytes()
    assert "set aside" in caplog.text


@pytest.mark.parametrize("damage", ["torn", "a flipped bit", "garbage"])
def test_a_damaged_part_is_set_aside_with_a_line_in_the_log(
    damage: str, tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, PLENTY)
    spool.append([row(1), row(2)])
    [path] = events(tmp_path)
    data = path.read_bytes()
    changed = {
        "torn": data[:-20],
        "a flipped bit": data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
        "garbage": data + b"\xff\x00 garbage\n",
    }[damage]
    path.write_bytes(changed)
    spool.replay(database.write, nothing)
    assert database.rows == [row(1), *([row(2)] if damage == "garbage" else [])]
    assert len(list(tmp_path.glob("*.damaged"))) == 1
    assert "damaged" in caplog.text
    assert "Äpfel" not in caplog.text
    assert not events(tmp_path)


def fill(spool: Spool) -> int:
    """Append events until the spool is full, and return their number."""
    for number in range(1000):
        try:
            spool.append([row(number)])
        except SpoolFullError:
            return number
    raise AssertionError("The spool is never full.")


def test_the_spool_takes_no_more_than_its_bound(tmp_path: Path, database: Database) -> None:
    spool, other = Spool(tmp_path, 2000), Spool(tmp_path, 2000)
    taken = fill(spool)
    with pytest.raises(SpoolFullError):
        other.append([row(99), row(98)])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000
    assert spool.replay(database.write, nothing) == taken
    spool.append([row(99)])


def test_a_new_file_begins_when_one_is_large(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.webhooks.spool._FILE_BYTES", 1000)
    spool, parts = Spool(tmp_path, PLENTY), list[None]()
    for number in range(20):
        spool.append([row(number)])
    count = len(events(tmp_path))
    assert count > 3
    spool.replay(database.write, lambda: parts.append(None))
    assert database.rows == [row(number) for number in range(20)]
    assert len(parts) == count


def test_only_the_owner_may_read_the_spool(tmp_path: Path) -> None:
    Spool(tmp_path / "spool", PLENTY).append([row(1)])
    [path] = events(tmp_path / "spool")
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert json.loads(path.read_bytes().partition(b" ")[2])["event_id"] == "e1"
