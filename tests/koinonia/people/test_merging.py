"""Merging two members that are one person."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import ConsentChange, Direction, Message, OptOut
from delivery.opt_outs import opt_out
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Conversation, Group, Member, Note
from tests.support import cast

G = "/api/v1/churches/grace/"


@pytest.fixture
def double(grace: Church, anna: Member) -> Member:
    """Create a second row of Anna, with another number."""
    return cast.member(grace, "Anna", "+13125550119", last_name="Leigh")


def text_to(member: Member, **over: Any) -> Message:
    now = timezone.now()
    thread = conversation_with(member.church, member.phone, now=now)
    values = {
        "to_number": member.phone, "from_number": "+13125550100", "text": "Hello",
        "status": Status.DELIVERED, "created_at": now, "updated_at": now,
    }  # fmt: skip
    message = Message.objects.create(
        tenant=member.church, recipient=member, thread=thread.pk, **{**values, **over}
    )
    Conversation.objects.filter(pk=thread.pk).update(last_message=message)
    return message


def merge(client: APIClient, member: Member, into: Member, **fields: Any) -> Any:
    body = {"into": encode(into.pk), **fields}
    return client.post(f"{G}members/{encode(member.pk)}/merge/", body, format="json")


def test_all_rows_of_the_other_member_follow(
    sender: APIClient, grace: Church, anna: Member, double: Member
) -> None:
    choir, youth = (Group.objects.create(church=grace, name=name) for name in ("Choir", "Youth"))
    anna.groups.add(choir)
    double.groups.add(choir, youth)
    kept, moved = text_to(anna), text_to(double)
    reply = text_to(
        double, direction=Direction.INBOUND, status=Status.RECEIVED,
        from_number=double.phone, to_number="+13125550100",
    )  # fmt: skip
    Conversation.objects.filter(phone=double.phone).update(unread_count=1, state="open")
    note = Note.objects.create(
        church=grace, conversation=Conversation.objects.get(phone=double.phone),
        text="Prefers calls", created_at=timezone.now(),
    )  # fmt: skip
    broadcast = Broadcast.objects.create(
        church=grace, text="Hi", created_at=timezone.now(), due_at=timezone.now(),
        audience={"groups": [], "members": [encode(double.pk), encode(anna.pk)]},
    )  # fmt: skip

    answer = merge(sender, double, anna, last_name="Leigh")

    assert answer.status_code == 200, answer.json()
    merged = answer.json()
    counts = {name: merged[name] for name in ("texts", "groups", "broadcasts", "conversations")}
    assert counts == {"texts": 2, "groups": 1, "broadcasts": 1, "conversations": 1}
    shown = merged["member"]
    assert (shown["last_name"], shown["phone"]) == ("Leigh", anna.phone)
    assert [group["name"] for group in shown["groups"]] == ["Choir", "Youth"]
    assert not Member.objects.filter(pk=double.pk).exists()
    messages = Message.objects.in_bulk([kept.pk, moved.pk, reply.pk]).values()
    assert {message.recipient_id for message in messages} == {anna.pk}
    assert not any(message.recipient_gone for message in messages)
    talk = Conversation.objects.get()
    assert {message.thread for message in messages} == {talk.pk}
    assert (talk.phone, talk.unread_count, talk.last_message_id) == (anna.phone, 1, reply.pk)
    note.refresh_from_db()
    assert (talk.state, note.conversation) == ("open", talk)
    broadcast.refresh_from_db()
    assert broadcast.audience["members"] == [encode(anna.pk)]


def test_a_waiting_text_follows_and_is_not_cancelled(
    sender: APIClient, anna: Member, double: Member
) -> None:
    waiting = text_to(double, status=Status.QUEUED, next_attempt_at=timezone.now())
    merge(sender, double, anna)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.recipient_id) == (Status.QUEUED, anna.pk)


def test_the_number_of_the_other_member_can_be_kept(
    sender: APIClient, anna: Member, double: Member
) -> None:
    text_to(anna)
    merged = merge(sender, double, anna, phone=double.phone).json()
    assert (merged["member"]["phone"], merged["conversations"]) == (double.phone, 1)
    assert Conversation.objects.get().phone == double.phone


def test_the_conversation_of_a_shared_number_stays(
    sender: APIClient, grace: Church, anna: Member, double: Member
) -> None:
    cast.member(grace, "Ben", double.phone)
    text_to(double)
    assert merge(sender, double, anna).json()["conversations"] == 0
    assert Conversation.objects.get().phone == double.phone


def test_an_opt_out_follows_with_its_source(
    sender: APIClient, grace: Church, anna: Member, double: Member
) -> None:
    opt_out(grace.pk, double.phone, OptOut.Source.KEYWORD, now=timezone.now())
    merged = merge(sender, double, anna).json()
    assert (merged["opted_out"], merged["member"]["opted_out"]) == (True, True)
    change = ConsentChange.objects.get(number=anna.phone)
    assert (change.source, change.by and change.by.username) == ("keyword", "grace-sender")


def test_a_start_after_the_opt_out_counts_more(
    sender: APIClient, grace: Church, anna: Member, double: Member
) -> None:
    opt_out(grace.pk, double.phone, OptOut.Source.KEYWORD, now=timezone.now())
    text_to(
        anna, direction=Direction.INBOUND, status=Status.RECEIVED, text="START",
        from_number=anna.phone, to_number="+13125550100", provider_status_at=timezone.now(),
    )  # fmt: skip
    assert merge(sender, double, anna).json()["member"]["opted_out"] is False


def test_a_third_number_is_refused(sender: APIClient, anna: Member, double: Member) -> None:
    refused = merge(sender, double, anna, phone="+13125550133")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["phone"])


def test_a_member_cannot_be_merged_into_itself(sender: APIClient, anna: Member) -> None:
    assert merge(sender, anna, anna).status_code == 409
    assert Member.objects.get() == anna


def test_members_of_another_church_and_viewers_are_refused(
    sender: APIClient, viewer: APIClient, hope: Church, anna: Member, double: Member
) -> None:
    other = cast.member(hope, "Olga", "+13125550211")
    assert merge(sender, anna, other).status_code == 400
    assert merge(sender, other, anna).status_code == 404
    assert merge(viewer, double, anna).status_code == 403
    assert Member.objects.count() == 3
