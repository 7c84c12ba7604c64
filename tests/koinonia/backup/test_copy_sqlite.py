"""A backup of SQLite, copied into PostgreSQL, as docs/operations/postgresql.md says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from koinonia.backup.sqlite_file import BackupError
from koinonia.backup.sqlite_to_postgres import copy
from koinonia.models import Church
from tests.koinonia.backup.commands import FILL, Commands
from tests.koinonia.backup.test_pg_dump import url

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL (--database=postgres)"
)
NAME = "was_sqlite"
MEMBERS = """
from django.contrib.auth.models import User
from koinonia.models import Church, Group, Member
grace = Church.objects.get()
anna = Member.objects.create(church=grace, first_name="Anna", last_name="Lee", phone="+13125550123")
anna.groups.add(Group.objects.create(church=grace, name="Choir"))
Member.objects.create(church=grace, first_name="Ben", last_name="Lee", phone="+13125550124").delete()
"""
COMPARE = """
from delivery.models import Message, Tally
from koinonia.models import Member
print(*Message.objects.order_by("pk").values_list("text", "created_at", "status"), *Tally.objects.order_by("pk").values_list())
print(*Member.objects.values_list("pk", "first_name", "groups__name", "created_at"))
"""
NEXT = """
from koinonia.models import Church, Member
print(Member.objects.create(church=Church.objects.get(), first_name="Clara", last_name="Lee", phone="+13125550125").pk)
"""
TRIGGERS_OFF = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'"


@pytest.fixture
def database() -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database."""
    settings = connection.settings_dict
    admin = psycopg.connect(
        host=settings["HOST"], user="koinonia", dbname="postgres", autocommit=True
    )
    with admin:
        admin.execute(f"CREATE DATABASE {NAME}")
        yield url(NAME)
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_a_backup_of_sqlite_becomes_a_postgresql_database(database: str, tmp_path: Path) -> None:
    old, new = Commands(tmp_path / "old"), Commands(tmp_path / "new", database)
    file = tmp_path / "backup.sqlite3"
    old.run("migrate", "--verbosity", "0")
    before = old.shell(FILL + MEMBERS + COMPARE)
    old.run("backup", str(file))

    new.run("migrate", "--verbosity", "0")
    told = new.run("copy_sqlite", str(file), "--send-waiting")
    assert "tables were copied" in told
    assert "are held" not in told
    after, number = new.shell(COMPARE + NEXT).rsplit("\n", 1)
    assert after == before
    assert number == "3", "the number of a deleted member is given once more"
    with psycopg.connect(database.replace("postgres://", "postgresql://")) as raw:
        assert raw.execute(TRIGGERS_OFF).fetchone() == (0,)


@pytest.fixture
def schema(db: None, tmp_path: Path) -> sqlite3.Connection:
    """Return a file that has the migrations of this release, and nothing else."""
    old = sqlite3.connect(tmp_path / "old.sqlite3")
    with connection.cursor() as cursor, old:
        cursor.execute("SELECT app, name FROM django_migrations")
        old.execute("CREATE TABLE django_migrations (app text, name text)")
        old.executemany("INSERT INTO django_migrations VALUES (?, ?)", cursor.fetchall())
    return old


def test_a_database_in_use_is_not_replaced(
    schema: sqlite3.Connection, grace: Church, tmp_path: Path
) -> None:
    with pytest.raises(BackupError, match="The database is in use: koinonia_church has rows"):
        list(copy(tmp_path / "old.sqlite3"))


def test_a_file_of_another_release_is_refused(schema: sqlite3.Connection, tmp_path: Path) -> None:
    with schema:
        schema.execute("DELETE FROM django_migrations WHERE app = 'koinonia' AND name LIKE '0020%'")
    with pytest.raises(BackupError, match="have other migrations"):
        list(copy(tmp_path / "old.sqlite3"))


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "There is no file"), (b"a letter\n" * 500, "is no SQLite database")],
)
def test_another_file_is_refused(
    db: None, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "old.sqlite3"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BackupError, match=told):
        list(copy(file))
