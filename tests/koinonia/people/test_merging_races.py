"""Races of two merges that share a member."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast, Church, Conversation, Group, Member, Note
from koinonia.people import merging
from tests.support import cast
from tests.support.races import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = 20
"""Texts of each member."""


@pytest.fixture
def three(grace: Church) -> list[Member]:
    """Create three rows of Anna, each with a number, texts, a note and a group."""
    now = timezone.now()
    members = [
        cast.member(grace, "Anna", f"+1312555011{n}", last_name=f"Lee {n}") for n in range(3)
    ]
    for number, member in enumerate(members):
        member.groups.add(Group.objects.create(church=grace, name=f"Group {number}"))
        thread = conversation_with(grace, member.phone, now=now)
        Note.objects.create(church=grace, conversation=thread, text="Note", created_at=now)
        for text in range(TEXTS):
            received = text % 2 == 0
            Message.objects.create(
                tenant=grace, recipient=member, thread=thread.pk, text=f"Text {text}",
                direction=Direction.INBOUND if received else Direction.OUTBOUND,
                status=Status.RECEIVED if received else Status.DELIVERED,
                from_number=member.phone, to_number=member.phone, created_at=now, updated_at=now,
            )  # fmt: skip
    return list(Member.objects.order_by("pk"))


def merge_both(
    church: Church, by: User, members: list[Member], pairs: list[tuple[int, int]], now: datetime
) -> list[str]:
    """Run the merges at once, and return how each of them ended."""
    ended: list[str] = []

    def merge(member: Member, into: Member) -> None:
        versions = {one.pk: one.version for one in (member, into)}
        try:
            merging.merge(church, member.pk, into.pk, by=by, now=now, versions=versions)
        except (merging.MemberGoneError, merging.MemberChangedError) as refused:
            ended.append(type(refused).__name__)
        else:
            ended.append("merged")

    calls = [lambda pair=pair: merge(members[pair[0]], members[pair[1]]) for pair in pairs]
    if connection.vendor != "postgresql":
        # The writers of SQLite queue.
        at_once(calls)
        return sorted(ended)
    runner = threading.Thread(target=at_once, args=[calls])
    with transaction.atomic():
        keys = [member.pk for member in members]
        list(Member.objects.filter(pk__in=keys).select_for_update(of=("self",)).order_by("pk"))
        runner.start()
        wait_until(_both_wait)
    runner.join()
    return sorted(ended)


def _both_wait() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0] >= 2)


@pytest.mark.parametrize(
    ("pairs", "other"),
    [
        ([(0, 1), (0, 1)], {"MemberGoneError"}),
        ([(0, 1), (1, 0)], {"MemberGoneError"}),
        ([(0, 1), (1, 2)], {"MemberGoneError", "MemberChangedError"}),
        ([(0, 2), (1, 2)], {"MemberChangedError"}),
    ],
    ids=["the same twice", "in both directions", "a chain", "into the same"],
)
def test_one_of_two_merges_wins_and_no_row_is_lost(
    grace: Church,
    grace_owner: User,
    three: list[Member],
    pairs: list[tuple[int, int]],
    other: set[str],
) -> None:
    ended = merge_both(grace, grace_owner, three, pairs, timezone.now())
    assert ended[1] == "merged"
    assert ended[0] in other
    left = {member.pk: member for member in Member.objects.filter(church=grace)}
    assert len(left) == 2
    texts = Message.objects.filter(tenant=grace)
    assert texts.count() == len(three) * TEXTS
    assert set(texts.values_list("recipient", flat=True)) == left.keys()
    assert not texts.filter(recipient_gone=True).exists()
    threads = set(Conversation.objects.values_list("pk", flat=True))
    assert len(threads) == 2
    assert set(texts.values_list("thread", flat=True)) == threads
    assert Note.objects.filter(conversation__in=threads).count() == len(three)
    assert Member.groups.through.objects.filter(member__in=left).count() == len(three)
    assert AuditEntry.objects.filter(action="member.merged").count() == 1


def test_a_broadcast_that_is_planned_before_the_lock_names_the_remaining_member(
    grace: Church, grace_owner: User, three: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time.")
    now, (other, remaining, _) = timezone.now(), three
    audience = Audience.from_json({"members": [encode(other.pk)]})
    lock, plans = merging._locked, [partial(
        send_broadcast, grace, "Hello", audience, author=grace_owner,
        scheduled_at=now + timedelta(days=1), now=now,
    )]  # fmt: skip

    def lock_late(*arguments: Any) -> tuple[Member, Member]:
        if plans:
            at_once([plans.pop()])
        return lock(*arguments)

    monkeypatch.setattr(merging, "_locked", lock_late)
    merged = merging.merge(grace, other.pk, remaining.pk, by=grace_owner, now=now)
    assert merged.broadcasts == 1
    assert Broadcast.objects.get().audience["members"] == [encode(remaining.pk)]
