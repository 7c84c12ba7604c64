"""Broadcasts that are larger than the slices in which members are read, rendered and written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from delivery import opt_outs
from delivery.models import Message, OptOut
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.send import send_broadcast
from koinonia.conversations import update_for_batch
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Conversation, Group, Member
from realtime.models import Event
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)
G = "/api/v1/churches/grace/"
ALL = {"text": "Dear {first_name}", "audience": {"all": True}}
SIZE = 3


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "delivery.accept.SLICE", "delivery.cancel.SLICE", "koinonia.broadcasts.audience._AT_ONCE",
        "koinonia.broadcasts.renderings._AT_ONCE",
    ):  # fmt: skip
        monkeypatch.setattr(name, SIZE)


@pytest.fixture
def members(grace: Church) -> list[Member]:
    """Create 10 members in 8 households: two have the numbers of older ones."""
    phones = [f"+131255501{number:02}" for number in range(8)]
    return [
        cast.member(grace, f"Name{number}", phone)
        for number, phone in enumerate([*phones, phones[0], phones[6]])
    ]


def post(
    client: APIClient, body: dict[str, Any] = ALL, path: str = "broadcasts/"
) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(G + path, body, format="json").json()
    return answer


def texts() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("to_number", "text"))


def test_each_number_gets_one_text_in_the_order_of_its_oldest_member(
    sender: APIClient, grace: Church, members: list[Member]
) -> None:
    opt_outs.opt_out(grace.pk, members[5].phone, OptOut.Source.STAFF, now=timezone.now())
    made = post(sender)
    assert (made["total"], made["counts"]) == (8, {"queued": 7, "suppressed": 1})
    assert texts() == [(one.phone, f"Dear {one.first_name}") for one in members[:8]]
    assert made == sender.get(f"{G}broadcasts/{made['id']}/").json()
    threads = dict(Conversation.objects.values_list("pk", "last_message"))
    assert dict(Message.objects.values_list("thread", "pk")) == threads


def test_the_preview_and_the_forecast_count_all_slices(
    sender: APIClient, grace: Church, members: list[Member]
) -> None:
    for number in (1, 5):
        opt_outs.opt_out(grace.pk, members[number].phone, OptOut.Source.STAFF, now=timezone.now())
    shown = post(sender, path="broadcasts/preview/")
    assert (shown["people"], shown["opted_out"], shown["doubles"]) == (6, 2, 2)
    left_out = [one["member"]["name"] for one in shown["left_out"]]
    assert left_out == ["Name1", "Name5", "Name8", "Name9"]
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    made = post(sender, {**ALL, "send_at": later})
    assert (made["total"], made["counts"]) == (8, {"scheduled": 6, "suppressed": 2})


def test_a_number_in_another_slice_is_a_double_of_its_oldest_member(
    sender: APIClient, grace: Church, members: list[Member]
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(*members[1:])
    post(sender, {"text": "Dear {first_name}", "audience": {"groups": [encode(choir.pk)]}})
    named = [text for _, text in texts()]
    assert named == [f"Dear Name{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8)]


def test_the_number_of_statements_is_constant_per_slice(sender: APIClient, grace: Church) -> None:
    def statements(more: int) -> int:
        start = Member.objects.count()
        for number in range(start, start + more):
            cast.member(grace, f"Name{number}", f"+1312555{number:04}")
        # The first broadcast creates the conversations.
        post(sender)
        with CaptureQueriesContext(connection) as captured:
            post(sender)
        return len(captured)

    few, many = statements(2 * SIZE), statements(3 * SIZE)
    # Opt-outs and messages. The captured statements leave out the reading by the cursor.
    assert many - few == 3 * 2
    assert few < 45


def test_a_newer_text_stays_the_last_message_of_its_conversation(
    sender: APIClient, anna: Member, ben: Member
) -> None:
    post(sender)
    broadcast = Broadcast.objects.get()
    newer = post(sender, {"text": "Hi", "member": encode(anna.pk)}, "messages/")
    update_for_batch(broadcast.pk, now=timezone.now())
    last = dict(Conversation.objects.values_list("phone", "last_message__text"))
    assert last == {anna.phone: newer["text"], ben.phone: "Dear Ben"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a plan of PostgreSQL")
def test_no_conversation_reads_the_batch_again(sender: APIClient, members: list[Member]) -> None:
    post(sender)
    broadcast = Broadcast.objects.get()
    with CaptureQueriesContext(connection) as captured:
        update_for_batch(broadcast.pk, now=timezone.now())
    (statement,) = captured
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "SubPlan" not in plan


def test_a_broadcast_is_cancelled_in_slices(sender: APIClient, members: list[Member]) -> None:
    made = post(sender)
    answer = post(sender, {}, f"broadcasts/{made['id']}/cancel/")
    assert (answer["status"], answer["counts"]) == ("cancelled", {"cancelled": 8})
    assert Event.objects.filter(type="message.status").count() == 8


def test_a_cancellation_that_stopped_after_a_slice_can_be_repeated(
    sender: APIClient, members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = post(sender)
    broadcast = Broadcast.objects.get()
    written = list[Any]()

    def write_once(rows: Any, fields: Any) -> int:
        if written:
            raise KeyboardInterrupt
        written.append(rows)
        return Message.objects.all().write(rows, fields)

    with monkeypatch.context() as patch:
        patch.setattr("delivery.cancel.Message.objects.write", write_once)
        with pytest.raises(KeyboardInterrupt):
            cancel_broadcast(broadcast, now=timezone.now())
    shown = sender.get(f"{G}broadcasts/{made['id']}/").json()
    assert (shown["status"], shown["counts"]) == ("sending", {"queued": 5, "cancelled": 3})
    answer = post(sender, {}, f"broadcasts/{made['id']}/cancel/")
    assert (answer["status"], answer["counts"]) == ("cancelled", {"cancelled": 8})


def test_two_broadcasts_at_once_create_the_conversations_once(
    grace: Church, grace_sender: User, members: list[Member]
) -> None:
    audiences = [
        Audience(everyone=False, member_ids=[member.pk for member in some], as_sent={})
        for some in (members, members[3:])
    ]
    start = Barrier(len(audiences))

    def send(audience: Audience) -> int:
        try:
            start.wait(10)
            return send_broadcast(
                grace, "Hello", audience, author=grace_sender, now=timezone.now()
            ).total
        finally:
            connections.close_all()

    for _ in range(5):
        Conversation.objects.all().delete()
        with ThreadPoolExecutor(len(audiences)) as threads:
            assert list(threads.map(send, audiences)) == [8, 6]
        assert Conversation.objects.count() == 8
