"""The progress of a broadcast costs the same however many texts it has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from delivery.models import Message
from delivery.statuses import Status
from koinonia.broadcasts import progress
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.models import Broadcast, Church
from tests.support import cast

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broadcast(grace: Church, grace_owner: User) -> Broadcast:
    """Send a broadcast to two members; its first progress event is published."""
    for number in range(2):
        cast.member(grace, f"Member{number}", f"+1312555{number:04}")
    audience = Audience(everyone=True, as_sent={"all": True})
    return send_broadcast(grace, "Dear {first_name}", audience, author=grace_owner, now=NOW)


def statements(broadcast: Broadcast, now: datetime) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        progress.publish([broadcast.pk], now)
    return [query["sql"] for query in queries.captured_queries]


def test_a_change_soon_after_the_last_event_is_marked_once_and_then_costs_one_query(
    broadcast: Broadcast,
) -> None:
    soon = NOW + timedelta(seconds=0.5)
    assert len(statements(broadcast, soon)) == 2
    assert Broadcast.objects.get(pk=broadcast.pk).progress_stale
    assert len(statements(broadcast, soon)) == 1


def test_publishing_counts_no_messages(broadcast: Broadcast) -> None:
    later = NOW + timedelta(seconds=2)
    reads = [sql for sql in statements(broadcast, later) if "delivery_message" in sql]
    # The only reads of messages find those in flight, and the branch for an unfinished ``migrate``.
    assert all("sending" in sql for sql in reads)
    assert not [sql for sql in reads if "count(" in sql.lower()]


def test_the_end_is_known_from_the_counts(broadcast: Broadcast) -> None:
    soon = NOW + timedelta(seconds=0.5)
    Message.objects.filter(batch=broadcast.pk).update(status=Status.ACCEPTED)
    progress.publish([broadcast.pk], soon)
    assert Broadcast.objects.get(pk=broadcast.pk).finished_at is None
    Message.objects.filter(batch=broadcast.pk).update(status=Status.DELIVERED)
    progress.publish([broadcast.pk], soon)
    found = Broadcast.objects.get(pk=broadcast.pk)
    assert found.finished_at == soon
    assert found.counts() == {"delivered": 2}
