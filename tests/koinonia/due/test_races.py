"""Races at the due time: each number gets one text, or none after a cancellation."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from django.utils import timezone

from delivery.models import Message
from delivery.statuses import Status
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.due import accept_due
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Group, Member
from tests.koinonia.due.conftest import G, Tomorrow
from tests.support import cast
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many(grace: Church, choir: Group) -> None:
    for number in range(30):
        cast.member(grace, f"Member {number}", f"+131255560{number:02}")


def test_concurrent_workers_create_one_message_per_number(tomorrow: Tomorrow, many: None) -> None:
    for _ in range(3):
        tomorrow.broadcast()
    at_once([lambda: [accept_due(tomorrow.at) for _ in range(4)]] * 4)
    while accept_due(tomorrow.at):
        pass
    texts = Counter(Message.objects.values_list("batch", "to_number"))
    assert (len(texts), set(texts.values())) == (3 * 32, {1})


def test_a_cancellation_in_a_race_with_a_worker_cancels_all(tomorrow: Tomorrow, many: None) -> None:
    """Accept either winner of the race for the row."""
    for _ in range(5):
        tomorrow.broadcast()
    waiting = list(Broadcast.objects.all())
    cancellations = [lambda one=one: cancel_broadcast(one, now=timezone.now()) for one in waiting]
    at_once([*cancellations, lambda: [accept_due(tomorrow.at) for _ in range(5)]])
    assert not Broadcast.objects.filter(cancelled_at=None).exists()
    assert set(Message.objects.values_list("status", flat=True)) <= {Status.CANCELLED}
    assert tomorrow.comes() == set()


def test_a_deletion_in_a_race_with_a_worker_texts_no_deleted_member(
    tomorrow: Tomorrow, many: None
) -> None:
    tomorrow.broadcast()
    gone = list(Member.objects.order_by("pk")[:10])
    at_once([*(member.delete for member in gone), lambda: accept_due(tomorrow.at)])
    sent = {number for number, _ in tomorrow.comes()}
    assert sent.isdisjoint({member.phone for member in gone})
    assert len(sent) == 22


def test_texts_in_a_race_with_the_deletion_of_their_member_succeed(
    tomorrow: Tomorrow, many: None
) -> None:
    gone = list(Member.objects.order_by("pk")[:8])
    answers: list[int] = []

    def write(member: Member) -> None:
        body = {"text": "Hi", "member": encode(member.pk)}
        answers.append(tomorrow.client.post(G + "messages/", body, format="json").status_code)

    def remove(member: Member) -> None:
        path = f"{G}members/{encode(member.pk)}/"
        answers.append(tomorrow.client.delete(path).status_code)

    at_once([partial(call, member) for member in gone for call in (write, remove)])
    assert set(answers) <= {202, 204, 400, 409}
    assert answers.count(204) == len(gone)
    tomorrow.comes()
    assert tomorrow.sent() == set()
