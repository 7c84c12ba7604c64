"""The rows of ``make scale``, on a small scale: they fit the present schema, and they fit together."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.running_system import ROOT, database_environment

MESSAGES = 6000
# PostgreSQL writes the casts of a condition in another form when it has read them again.
INDEXES = """
    SELECT indexname, split_part(indexdef, ' WHERE ', 1), indexdef LIKE '% WHERE %' FROM pg_indexes
    WHERE schemaname = 'public'
"""
CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""

pytestmark = pytest.mark.skipif(
    "KOINONIA_TEST_POSTGRES" not in os.environ, reason="generate_series is PostgreSQL's."
)


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Any, list[Any]]]:
    """Return a connection to a filled database, and its schema before it was filled."""
    url = database_environment()["DATABASE_URL"]
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, check=True, capture_output=True,
    )  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        schema = [connection.execute(query).fetchall() for query in (INDEXES, CONSTRAINTS)]
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(ROOT / "bench"))
            importlib.import_module("scale_set").fill(url, MESSAGES, lambda _: None, churches=5)
        yield connection, schema


def rows(connection: Any, query: str) -> list[Any]:
    found: list[Any] = connection.execute(query).fetchall()
    return found


def test_the_schema_is_the_same_as_before(filled: tuple[Any, list[Any]]) -> None:
    connection, schema = filled
    for query, before in zip((INDEXES, CONSTRAINTS), schema, strict=True):
        assert set(rows(connection, query)) ^ set(before) == set()


def test_each_message_has_its_attempt_and_the_first_church_a_fifth(
    filled: tuple[Any, list[Any]],
) -> None:
    connection, _ = filled
    (counts,) = rows(
        connection, "SELECT count(*), count(*) FILTER (WHERE tenant_id = 1) FROM delivery_message"
    )
    assert counts == (MESSAGES, MESSAGES // 5 + 300)
    wrong = "SELECT id FROM delivery_message m WHERE calls <> (SELECT count(*) FROM delivery_attempt WHERE message_id = m.id) AND status <> 'dead'"
    assert rows(connection, wrong) == []


def test_the_log_has_no_gap(filled: tuple[Any, list[Any]]) -> None:
    connection, _ = filled
    wrong = """
        SELECT key, last_seq, count(event.id), max(seq) FROM realtime_stream stream
        JOIN realtime_event event ON stream_id = stream.id GROUP BY stream.id
        HAVING last_seq <> count(event.id) OR max(seq) <> last_seq OR min(seq) <> 1
    """
    assert rows(connection, wrong) == []
    assert rows(connection, "SELECT sum(last_seq) > 0 FROM realtime_stream") == [(True,)]


def test_a_conversation_knows_its_last_message(filled: tuple[Any, list[Any]]) -> None:
    connection, _ = filled
    wrong = """
        SELECT id FROM koinonia_conversation c WHERE last_message_id IS DISTINCT FROM
        (SELECT max(id) FROM delivery_message WHERE thread = c.id AND tenant_id = c.church_id)
    """
    assert rows(connection, wrong) == []


def test_a_broadcast_has_as_many_messages_as_it_says(filled: tuple[Any, list[Any]]) -> None:
    connection, _ = filled
    wrong = """
        SELECT b.id FROM koinonia_broadcast b LEFT JOIN delivery_message m
        ON batch = b.id AND tenant_id = church_id GROUP BY b.id HAVING count(m.id) <> total
    """
    assert rows(connection, wrong) == []


def test_some_rows_are_in_motion(filled: tuple[Any, list[Any]]) -> None:
    connection, _ = filled
    query = """
        SELECT count(*) FILTER (WHERE status = 'queued') > 100, count(*) FILTER (WHERE status = 'sent') > 100,
               count(*) FILTER (WHERE status = 'scheduled') > 100, count(*) FILTER (WHERE status = 'dead') > 0
        FROM delivery_message
    """
    assert rows(connection, query) == [(True, True, True, True)]
    waiting = (
        "SELECT count(*) BETWEEN 1 AND 1000 FROM delivery_webhookevent WHERE applied_at IS NULL"
    )
    assert rows(connection, waiting) == [(True,)]
