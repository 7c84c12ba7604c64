"""The steps after a restore, on the database of the tests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from koinonia.broadcasts.due import accept_due
from koinonia.models import Broadcast, Church
from realtime.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def after_restore(**options: bool) -> None:
    call_command("after_restore", others_may_run=True, **options)


def scheduled(church: Church, minutes: int) -> Broadcast:
    when = timezone.now() + timedelta(minutes=minutes)
    return Broadcast.objects.create(
        church=church, text="Dear all", audience={"all": True}, total=40, forecast_suppressed=2,
        created_at=timezone.now(), scheduled_at=when, due_at=when,
    )  # fmt: skip


def test_a_due_broadcast_is_not_sent_and_says_that_its_texts_are_unknown(grace: Church) -> None:
    due, later = scheduled(grace, -5), scheduled(grace, 5)
    after_restore()
    due.refresh_from_db()
    later.refresh_from_db()
    assert due.counts() == {"unknown": 38, "suppressed": 2}
    assert (due.due_at, later.status) == (None, "scheduled")
    assert not accept_due(timezone.now())
    assert Event.objects.filter(type="broadcast.progress").count() == 1


def test_nothing_is_held_if_nothing_was_sent_since(grace: Church) -> None:
    due = scheduled(grace, -5)
    after_restore(send_waiting=True)
    due.refresh_from_db()
    assert due.due_at is not None


def test_every_session_ends(grace_owner: User, client: Client) -> None:
    client.force_login(grace_owner)
    after_restore()
    assert "/login/" in client.get("/", follow=True).redirect_chain[-1][0]
