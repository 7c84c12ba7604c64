"""The whole system and its external services, all of them under the control of a test."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from delivery.providers.simulator.ledger import Entry
from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.chaos import ledger
from tests.delivery.chaos.staff import SingleTexts, Writer
from tests.support.postgres import EmbeddedPostgres
from tests.support.running_system import RunningSystem
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

MEMBERS = 300
_SOON = timedelta(seconds=3)
_FINAL = {"delivered"}
_ROWS = """
    SELECT to_number, text, status, provider_id, calls,
           (SELECT COUNT(*) FROM delivery_attempt WHERE message_id = delivery_message.id)
    FROM delivery_message WHERE direction = 'outbound' AND text LIKE '{mark} %'
"""


class Platform:
    def __init__(self, directory: Path, telnyx: TelnyxSimulator) -> None:
        self.directory = directory
        self.telnyx = telnyx
        self.valkey = ValkeyServer(_made(directory / "valkey"))
        self.postgres = _postgres(directory)
        database = {} if self.postgres is None else {"DATABASE_URL": self.postgres.url}
        self.system = RunningSystem(
            _made(directory / "system"),
            DJANGO_SETTINGS_MODULE="tests.delivery.chaos.settings",
            REDIS_URL=self.valkey.url,
            TELNYX_API_BASE=telnyx.base,
            TELNYX_API_KEY=telnyx.api_key,
            TELNYX_PUBLIC_KEY=telnyx.public_key,
            THROTTLING_ENABLED="0",
            DELIVERY_LEASE_SECONDS="3",
            DELIVERY_BREAKER_OPEN_SECONDS="1",
            # Slow enough that the disruption meets the broadcast in flight.
            DELIVERY_ACCOUNT_RATE="100",
            DELIVERY_SENDER_RATE="60",
            **database,
        )
        self.system.start()
        self.broadcaster = Writer(self.system, "grace-owner")
        self.replier = Writer(self.system, "hope-owner")

    def stop(self) -> None:
        self.system.stop()
        self.valkey.stop()
        if self.postgres is not None:
            self.postgres.stop()

    def begin(self) -> Texts:
        """Send a broadcast to a whole church, schedule one to a group during the disruption, and
        send single messages of another church."""
        return Texts(self, uuid.uuid4().hex[:8])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if self.postgres is not None:
            with psycopg.connect(self.postgres.url, autocommit=True) as connection:
                return list(connection.execute(sql.encode()))
        file = sqlite3.connect(self.system.data_dir / "koinonia.sqlite3", timeout=30)
        try:
            return list(file.execute(sql))
        finally:
            file.close()


class Texts:
    """The messages of one scenario, and the checks on them."""

    def __init__(self, platform: Platform, mark: str) -> None:
        self._platform, self._mark = platform, mark
        body = {"text": f"{mark} for {{first_name}}", "audience": {"all": True}}
        self._broadcast = platform.broadcaster.post("broadcasts/", body)["id"]
        self._later = self._schedule()
        self.singles = SingleTexts(platform.replier, mark)

    def _schedule(self) -> int:
        """Schedule a broadcast to a group. Return its number of messages."""
        groups = self._platform.broadcaster.get("groups/")["results"]
        smallest = min(groups, key=lambda group: group["members_count"])
        due = (datetime.now(UTC) + _SOON).isoformat(timespec="seconds")
        text = f"{self._mark} later for {{first_name}}"
        body = {"text": text, "audience": {"groups": [smallest["id"]]}, "send_at": due}
        return int(self._platform.broadcaster.post("broadcasts/", body)["total"])

    @property
    def taken(self) -> list[Entry]:
        """Return the scenario's messages that the provider has accepted."""
        return [
            entry for entry in self._platform.telnyx.ledger.entries
            if entry.text.startswith(f"{self._mark} ")
        ]  # fmt: skip

    def wait_until_sending(self) -> None:
        """Wait until the provider has accepted a part of the scenario."""
        already = len(self.taken)
        wait_until(lambda: len(self.taken) > already + 20, 30)

    def rows(self) -> list[ledger.Row]:
        found = self._platform.query(_ROWS.format(mark=self._mark))
        return [ledger.Row(*row) for row in found]

    def judge(self, seconds: float) -> None:
        """Check, within some seconds, that each message was accepted once, delivered, and reported."""
        rows, taken = self._rows_when_final(seconds), self.taken
        assert len(rows) == self._expected()
        assert {(row.to, row.text) for row in rows} >= set(self.singles.accepted)
        assert ledger.lost(rows, taken) == []
        assert ledger.doubled(taken) == []
        assert len(taken) == len(rows)
        assert ledger.misnamed(rows, taken) == []
        assert ledger.unexplained(rows) == []
        self._judge_broadcast()

    def _rows_when_final(self, seconds: float) -> list[ledger.Row]:
        wait_until(lambda: self._are_final(self.rows()), seconds, pause=0.2)
        return self.rows()

    def _are_final(self, rows: Sequence[ledger.Row]) -> bool:
        return len(rows) >= self._expected() and {row.status for row in rows} <= _FINAL

    def _expected(self) -> int:
        return MEMBERS + self._later + len(self.singles.accepted)

    def _judge_broadcast(self) -> None:
        told = self._platform.broadcaster.get(f"broadcasts/{self._broadcast}/")
        assert (told["status"], told["total"]) == ("done", MEMBERS)
        assert {status: count for status, count in told["counts"].items() if count} == {
            "delivered": MEMBERS
        }


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


def _postgres(directory: Path) -> EmbeddedPostgres | None:
    """Start a separate PostgreSQL server that the test may stop, if the run is on PostgreSQL."""
    if "KOINONIA_TEST_POSTGRES" not in os.environ:
        return None
    return EmbeddedPostgres(directory / "postgres")
