"""Whose turn it is costs the same however many texts wait."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.models import Message, Priority
from delivery.queue import due
from delivery.queue.heads import Head, heads
from delivery.queue.turns import Turn, Turns
from koinonia.models import Church
from tests.delivery.engine.scripted import write
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)

CHURCHES = 20
_MANY = """
INSERT INTO delivery_message (
    tenant_id, direction, status, to_number, from_number, text, media_urls, encoding, parts, priority,
    created_at, updated_at, next_attempt_at, claimed_from, attempts, calls, ambiguous, claims,
    generation, callback_origin, error_code, error_title, error_class, discarded_reason, provider
)
SELECT
    church.id, 'outbound', %s, '+1312' || number, church.phone_number, 'Hello', '[]', 'GSM-7', 1,
    10, %s, %s, %s, '', 0, 0, FALSE, 0, 1, '', '', '', '', '', 'telnyx'
FROM koinonia_church AS church CROSS JOIN generate_series(1, %s) AS number
"""


def test_a_head_is_the_first_waiting_message_of_its_line(grace: Church, hope: Church) -> None:
    now = timezone.now()
    write(grace, now=now - timedelta(seconds=2))
    write(grace, now=now - timedelta(seconds=1))
    write(hope, now=now + timedelta(seconds=1))
    assert heads() == [
        Head(Priority.REPLY, "telnyx", grace.pk, now - timedelta(seconds=2)),
        Head(Priority.REPLY, "telnyx", hope.pk, now + timedelta(seconds=1)),
    ]
    assert Turns().now(now) == [Turn(grace.pk, Priority.REPLY, "telnyx")]
    assert due.next_due(now, now + timedelta(seconds=2)) == now + timedelta(seconds=1)


def test_one_query_finds_the_turns_of_all_priorities_and_accounts(
    grace: Church, settings: Any
) -> None:
    telnyx = settings.DELIVERY["PROVIDERS"]["telnyx"]
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"telnyx": telnyx, "other": telnyx}}
    for number, (priority, provider) in enumerate(
        [(Priority.BULK, "telnyx"), (Priority.REPLY, "other"), (Priority.BULK, "other")]
    ):
        text = write(grace, to=f"+1312555000{number}")
        Message.objects.filter(pk=text.pk).update(priority=priority, provider=provider)
    with CaptureQueriesContext(connection) as asked:
        found = Turns().now(timezone.now())
    assert [(turn.priority, turn.provider) for turn in found] == [
        (Priority.REPLY, "other"), (Priority.BULK, "other"), (Priority.BULK, "telnyx"),
    ]  # fmt: skip
    assert len(asked) == 1


def test_the_turns_read_no_more_pages_when_more_texts_wait(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite does not count pages.")
    for number in range(CHURCHES):
        cast.church(f"church{number}", f"+13125551{number:03}")
    _add("delivered", 2_500)
    few = _pages_with(50)
    many = _pages_with(4_950)
    assert Message.objects.filter(status="queued").count() == 100_000
    # Each step descends one level more in the larger index, and reads the row on a page of its own.
    assert many <= 2 * few + 2 * CHURCHES


def test_the_walk_follows_the_index_on_sqlite(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has the test with pages.")
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        heads()
        cursor.execute("EXPLAIN QUERY PLAN " + asked[0]["sql"])
        plan = [row[-1] for row in cursor.fetchall()]
    index = "SEARCH later USING INDEX message_due_by_provider"
    assert f"{index} (priority=? AND provider=? AND tenant_id>?)" in plan
    assert "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert not [line for line in plan if line.startswith("SCAN message")]


def _pages_with(texts: int) -> int:
    """Add due texts of each church, and return how many pages a look at the turns reads."""
    _add("queued", texts)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE delivery_message")
        with CaptureQueriesContext(connection) as asked:
            assert len(Turns().now(timezone.now())) == CHURCHES
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan
    found = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)
    assert found
    return int(found[1]) + int(found[2] or 0)


def _add(status: str, texts: int) -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [status, now, now, now, texts])
