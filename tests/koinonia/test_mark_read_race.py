"""The race between reading a conversation and an inbound text."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.conversations import mark_read
from koinonia.models import Church, Conversation
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SOMEBODY_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_a_concurrent_inbound_text_is_either_read_or_counted(grace: Church) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time.")
    now = timezone.now()
    talk = Conversation.objects.create(church=grace, phone="+13125550001", updated_at=now)

    def read() -> None:
        try:
            mark_read(talk, now=now)
        finally:
            connection.close()

    def reader_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(SOMEBODY_WAITS)
            return bool(cursor.fetchone()[0])

    reader = threading.Thread(target=read)
    with transaction.atomic():
        text = Message.objects.create(
            tenant=grace, direction=Direction.INBOUND, status=Status.RECEIVED, thread=talk.pk,
            to_number=grace.phone_number, from_number=talk.phone, text="Hello",
            created_at=now, updated_at=now,
        )  # fmt: skip
        Conversation.objects.filter(pk=talk.pk).update(unread_count=1)
        reader.start()
        wait_until(reader_waits)
    reader.join()

    talk.refresh_from_db()
    text.refresh_from_db()
    assert talk.unread_count == (text.read_at is None)
