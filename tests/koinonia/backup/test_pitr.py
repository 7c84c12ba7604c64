"""PostgreSQL is restored to a moment, from a base backup and its log, as docs/operations/backup.md says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.koinonia.backup.commands import FILL, HELD, SHOW, Commands
from tests.support.postgres import EmbeddedPostgres

pytestmark = [pytest.mark.chaos, pytest.mark.any_database]

SEND = "from delivery.models import Message; Message.objects.filter(status='queued').update(status='delivered')"


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    # The server runs as nobody, who must not enter pytest's folder.
    with TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        yield server
        server.stop()


def ask(server: EmbeddedPostgres, statement: str) -> str:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return str(row[0]) if row else ""


def set_lines(server: EmbeddedPostgres, *lines: str) -> None:
    file = server.directory / "data" / "postgresql.conf"
    file.write_text("\n".join([file.read_text(), *lines, ""]))


def test_a_database_is_restored_to_a_moment_and_sends_nothing_twice(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    wal, base, data = (server.directory / name for name in ("wal", "base", "data"))
    wal.mkdir()
    wal.chmod(0o777)
    set_lines(
        server,
        "archive_mode = on",
        f"archive_command = 'test ! -f {wal}/%f && cp %p {wal}/%f'",
    )
    server.stop()
    server.start()
    system = Commands(tmp_path / "system", server.url)
    system.run("migrate", "--verbosity", "0")
    server._run(
        "pg_basebackup", "-h", server.directory, "-U", "koinonia", "-D", base, "-X", "none", "-c", "fast"
    )  # fmt: skip
    system.shell(FILL)
    moment = ask(server, "SELECT clock_timestamp()")
    system.shell(SEND)
    ask(server, "SELECT pg_switch_wal()")
    server.stop()

    data.rename(server.directory / "lost")
    base.rename(data)
    set_lines(
        server,
        f"restore_command = 'cp {wal}/%f %p'",
        f"recovery_target_time = '{moment}'",
        "recovery_target_action = 'promote'",
    )
    (data / "recovery.signal").touch()
    shutil.chown(data / "recovery.signal", data.owner())
    server.start()

    system.run("migrate", "--verbosity", "0")
    assert "1 texts and 0 scheduled broadcasts" in system.run("after_restore", "--others-may-run")
    assert system.shell(SHOW) == HELD
