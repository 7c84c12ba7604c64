"""Two acts of one moment on members, groups and series do not deadlock, and neither undoes the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from koinonia import group_changes
from koinonia.answers import membership
from koinonia.broadcasts import send
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.due import accept_due
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Group, Member, Series
from koinonia.people.deletion import delete_member
from koinonia.series import start
from koinonia.series.repeat import Repeat
from tests.koinonia.due.conftest import G
from tests.support.races import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TOMORROW = timedelta(days=1)


@pytest.fixture(autouse=True)
def several_writers(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time.")


@pytest.fixture
def choir(grace: Church, anna: Member) -> Group:
    group = Group.objects.create(church=grace, name="Choir")
    group.members.add(anna)
    return group


@pytest.fixture
def weekly(grace: Church, grace_sender: User, anna: Member) -> Series:
    now = timezone.now()
    return start.start_series(
        grace, "Hello", Audience.from_json({"all": True}), first_at=now + TOMORROW,
        repeat=Repeat("week"), author=grace_sender, now=now,
    )  # fmt: skip


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def meanwhile(
    other: Callable[[], object], first: Callable[[], object], then: Callable[[], object]
) -> None:
    """Do ``first``, let the other act run until it waits, and go on in the same transaction."""
    other_act = threading.Thread(target=at_once, args=[[other]])
    with transaction.atomic():
        first()
        other_act.start()
        wait_until(somebody_waits)
        then()
    other_act.join()


def test_joining_a_group_lets_a_broadcast_to_the_member_begin(
    grace: Church, anna: Member, choir: Group
) -> None:
    def text_everybody() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            Member.objects.filter(church=grace).lock_all_against_deletion()

    with transaction.atomic():
        membership.change(choir, remove=[anna.pk])
        at_once([text_everybody])


def test_a_group_and_its_member_are_deleted_at_one_moment(
    grace: Church, grace_owner: User, anna: Member, choir: Group
) -> None:
    now = timezone.now()
    meanwhile(
        lambda: group_changes.delete(choir, grace_owner, now=now),
        lambda: list(Member.objects.filter(pk=anna.pk).select_for_update()),
        lambda: delete_member(anna, by=grace_owner, now=now),
    )
    assert not Group.objects.exists()
    assert not Member.objects.exists()


@pytest.mark.parametrize("act", [start.pause, start.end])
def test_a_series_is_stopped_while_a_worker_takes_its_occurrence(
    weekly: Series, act: Callable[..., bool]
) -> None:
    due = timezone.now() + TOMORROW
    Broadcast.objects.update(due_at=due)
    meanwhile(
        lambda: act(weekly, due),
        lambda: list(Broadcast.objects.select_for_update(of=("self",)).values("pk")),
        lambda: accept_due(due),
    )
    weekly.refresh_from_db()
    assert weekly.status != Series.Status.ACTIVE
    assert Broadcast.objects.filter(cancelled_at=None).count() == 1


@pytest.mark.parametrize("taken", [Broadcast, Series])
def test_a_new_zone_does_not_wait_for_an_occurrence_that_a_worker_has(
    weekly: Series, grace_owner: User, taken: type[Broadcast | Series]
) -> None:
    owner = APIClient()
    owner.force_authenticate(grace_owner)
    due = Broadcast.objects.get().due_at
    answers = []

    def change() -> None:
        answers.append(owner.patch(f"{G}settings/", {"timezone": "Asia/Seoul"}, format="json"))

    with transaction.atomic():
        list(taken.objects.select_for_update(of=("self",)).values("pk"))
        at_once([change])
    assert answers[0].status_code == 409
    assert Church.objects.get(slug="grace").timezone != "Asia/Seoul"
    change()
    assert answers[1].status_code == 200
    assert Broadcast.objects.get().due_at != due


def test_a_change_does_not_revive_a_series_that_a_colleague_ends(
    weekly: Series, grace_sender: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = APIClient()
    client.force_authenticate(grace_sender)
    colleague = threading.Thread(target=at_once, args=[[lambda: start.end(weekly, timezone.now())]])
    check = send.check_audience

    def check_slowly(*arguments: Any, **options: Any) -> None:
        colleague.start()
        wait_until(lambda: somebody_waits() or not colleague.is_alive())
        check(*arguments, **options)

    monkeypatch.setattr(start, "check_audience", check_slowly)
    path = f"{G}series/{encode(weekly.pk)}/"
    assert client.patch(path, {"text": "Other words"}, format="json").status_code == 200
    colleague.join()
    weekly.refresh_from_db()
    assert (weekly.status, weekly.next_broadcast()) == (Series.Status.ENDED, None)
