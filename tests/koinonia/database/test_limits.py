"""Every wait for PostgreSQL has a limit."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg.pq import TransactionStatus

from koinonia import settings as project
from koinonia.database.postgresql import base, session_limits
from tests.support import pgbouncer
from tests.support.running_system import ROOT, free_port

only_postgres = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has a busy timeout."
)
URL = "postgres://koinonia:p%40@10.0.0.1:5432,10.0.0.2:5433/texts"


def test_the_query_of_the_url_changes_each_limit() -> None:
    asked = "?target_session_attrs=read-write&tcp_user_timeout=9000&statement_timeout=5s"
    found = project._postgresql(urlsplit(URL + asked))
    assert (found["HOST"], found["PORT"]) == ("10.0.0.1,10.0.0.2", "5432,5433")
    options = found["OPTIONS"]
    assert options["target_session_attrs"] == "read-write"
    assert (options["tcp_user_timeout"], options["connect_timeout"]) == ("9000", 3)
    assert options["session_limits"] == {**session_limits.SERVING, "statement_timeout": "5s"}


def test_a_command_without_its_database_says_so_in_one_sentence(tmp_path: Path) -> None:
    given = {
        **os.environ, "DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "k" * 60,
        "DATABASE_URL": f"postgres://koinonia@127.0.0.1:{free_port()}/texts",
        "REDIS_URL": "unix:///nowhere", "DJANGO_SETTINGS_MODULE": "koinonia.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "delivery_status", "--check"],
        env=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("The database cannot be reached: ")


@pytest.fixture
def pooled(db: None) -> Iterator[base.DatabaseWrapper]:
    """Connect to the test database through a pool and the limits of the project."""
    url = f"postgres://host/{connection.settings_dict['NAME']}"
    given = project._postgresql(urlsplit(url))
    chosen: dict[str, Any] = {**connection.settings_dict, "OPTIONS": given["OPTIONS"]}
    chosen["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 3, "timeout": 10}
    wrapper = base.DatabaseWrapper(chosen, alias="pooled")
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def _shown(wrapper: base.DatabaseWrapper, name: str) -> str:
    with wrapper.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@only_postgres
def test_a_session_has_the_limits(pooled: base.DatabaseWrapper) -> None:
    assert _shown(pooled, "statement_timeout") == "30s"
    assert _shown(pooled, "lock_timeout") == "20s"
    assert _shown(pooled, "idle_in_transaction_session_timeout") == "1min"


@only_postgres
def test_a_command_has_no_limits(
    pooled: base.DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_limits, "_lifted", True)
    assert _shown(pooled, "statement_timeout") == "0"


@only_postgres
def test_a_pool_gives_out_no_connection_that_the_server_has_ended(
    pooled: base.DatabaseWrapper,
) -> None:
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    pooled.close()  # It goes back to the pool.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert _shown(pooled, "lock_timeout") == "20s"


@only_postgres
def test_a_renewed_pool_connects_again(pooled: base.DatabaseWrapper) -> None:
    pooled.ensure_connection()
    first: Any = pooled.connection
    pooled.renew_connections()
    pooled.ensure_connection()
    second: Any = pooled.connection
    assert second is not first
    assert first.pgconn.transaction_status == TransactionStatus.UNKNOWN  # closed


@only_postgres
@pytest.mark.skipif(pgbouncer.PROGRAM is None, reason="There is no pgbouncer on this machine.")
def test_behind_pgbouncer_the_role_has_the_limits_and_the_socket_its_own(
    tmp_path_factory: pytest.TempPathFactory, db: None, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Run the statements of the handbook. PgBouncer refuses unknown parameters at the start."""
    monkeypatch.setattr(session_limits, "_has_warned", False)
    server = os.environ["KOINONIA_TEST_POSTGRES"]
    name = connection.settings_dict["NAME"]
    proxy = pgbouncer.PgBouncer(tmp_path_factory.mktemp("limits") / "pgbouncer", server)
    handbook = (ROOT / "docs" / "operations" / "timeouts.md").read_text()
    statements = [line for line in handbook.splitlines() if line.startswith("ALTER ROLE")]
    try:
        wrapper = base.DatabaseWrapper(
            {**connection.settings_dict, **project._postgresql(urlsplit(proxy.url(name)))},
            "proxied",
        )
        assert _shown(wrapper, "statement_timeout") == "0"
        raw: Any = wrapper.connection
        with closing(socket.socket(fileno=os.dup(raw.fileno()))) as ours:
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3500
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 2
        wrapper.close()
        assert [getattr(one, "action", "") for one in caplog.records] == ["no_statement_timeout"]
        with psycopg.connect(server, autocommit=True) as admin:
            for statement in statements:
                admin.execute(statement.replace("DATABASE koinonia", f'DATABASE "{name}"'))
        with psycopg.connect(proxy.url("pgbouncer"), autocommit=True) as console:
            console.execute("RECONNECT")
        assert _shown(wrapper, "statement_timeout") == "30s"
        assert _shown(wrapper, "lock_timeout") == "20s"
        wrapper.close()
    finally:
        proxy.stop()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'ALTER ROLE koinonia IN DATABASE "{name}" RESET ALL')


@only_postgres
def test_a_statement_that_takes_too_long_is_ended(pooled: base.DatabaseWrapper) -> None:
    with pooled.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'")
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(30)")
