"""Changes of messages update the conversations and the event streams."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from delivery.accept import accept_message
from delivery.changes import Changes, message_changes
from delivery.drafts import Draft
from delivery.models import Direction, Message
from delivery.signals import breaker_changed
from delivery.statuses import Status
from koinonia import wiring
from koinonia.broadcasts import progress
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.conversations import conversation_with, mark_read
from koinonia.models import Broadcast, Church, Conversation, Role
from realtime.models import Event
from tests.support import cast

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHONE = "+13125550123"

pytestmark = pytest.mark.django_db(transaction=True)


def events(key: str) -> list[tuple[str, dict[str, Any]]]:
    rows = Event.objects.filter(stream__key=key).order_by("seq")
    return [(row.type, json.loads(row.body)["data"]) for row in rows]


def kinds(key: str) -> list[str]:
    return [kind for kind, _ in events(key)]


def text(church: Church, author: User | None = None) -> Message:
    with message_changes(NOW):
        thread = conversation_with(church, PHONE, now=NOW)
        draft = Draft(to=PHONE, text="Hello", thread=thread.pk)
        return accept_message(church, draft, author=author, now=NOW)


def move(message: Message, status: Status, at: datetime = NOW) -> None:
    with message_changes(at) as changes:
        _move(changes, message, status, at)


def _move(changes: Changes, message: Message, status: Status, at: datetime) -> None:
    previous = message.status
    message.status, message.updated_at = status, at
    message.save()
    changes.add(message, previous=previous)


def receive(church: Church, words: str = "Yes!") -> Message:
    with message_changes(NOW) as changes:
        message = Message.objects.create(
            tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
            from_number=PHONE, text=words, thread=conversation_with(church, PHONE, now=NOW).pk,
            created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        changes.add(message)
    return message


def broadcast(church: Church, author: User, people: int = 3) -> Broadcast:
    for number in range(people):
        cast.member(church, f"Member{number}", f"+1312555{number:04}")
    audience = Audience(everyone=True, as_sent={"all": True})
    return send_broadcast(church, "Dear {first_name}", audience, author=author, now=NOW)


def test_the_event_of_a_single_text_has_the_shape_of_the_api(
    grace: Church, grace_sender: User
) -> None:
    message = text(grace, grace_sender)
    [(kind, data)] = events("church:grace")
    assert kind == "message.created"
    assert (data["text"], data["status"], data["author"]["name"]) == (
        "Hello",
        "queued",
        "grace-sender",
    )
    assert data["created_at"] == "2026-11-22T09:00:00Z"
    assert Conversation.objects.get(church=grace, phone=PHONE).last_message == message


def test_a_status_event_goes_only_to_its_church(grace: Church, hope: Church) -> None:
    move(text(grace), Status.ACCEPTED)
    assert kinds("church:grace") == ["message.created", "message.status"]
    assert kinds("church:hope") == []
    _, data = events("church:grace")[-1]
    assert (data["previous"], data["status"]) == ("queued", "accepted")
    assert data["updated_at"] == "2026-11-22T09:00:00.000Z"


@pytest.mark.parametrize("end", [Status.DELIVERED, Status.FAILED])
def test_the_author_of_a_text_gets_its_outcome(
    grace: Church, grace_sender: User, end: Status
) -> None:
    message = text(grace, grace_sender)
    move(message, Status.SENT)
    move(message, end)
    [(kind, data)] = events(f"user:{grace_sender.pk}")
    assert (kind, data["church"], data["status"]) == ("message.confirmed", "grace", end)


def test_a_received_text_makes_its_conversation_unread_until_it_is_read(grace: Church) -> None:
    receive(grace, "Yes!")
    receive(grace, "And my wife too.")
    conversation = Conversation.objects.get(church=grace, phone=PHONE)
    assert conversation.unread_count == 2
    mark_read(conversation, now=NOW)
    conversation.refresh_from_db()
    assert conversation.unread_count == 0
    assert kinds("church:grace") == ["message.received", "message.received", "conversation.read"]


def test_an_older_message_never_becomes_the_last_one(grace: Church) -> None:
    first = text(grace)
    second = text(grace)
    with message_changes(NOW) as changes:
        changes.add(first)
    assert Conversation.objects.get(church=grace, phone=PHONE).last_message == second


def test_a_broadcast_is_one_event_and_updates_all_conversations(
    grace: Church, grace_owner: User
) -> None:
    made = broadcast(grace, grace_owner)
    told = events("church:grace")
    assert [kind for kind, _ in told] == ["broadcast.created", "broadcast.progress"]
    assert told[0][1]["total"] == 3
    last = Conversation.objects.filter(church=grace).values_list("last_message__batch", flat=True)
    assert set(last) == {made.pk}


def test_progress_is_sent_once_a_second_and_skipped_progress_later(
    grace: Church, grace_owner: User
) -> None:
    made = broadcast(grace, grace_owner)
    for message in Message.objects.filter(batch=made.pk).order_by("pk")[:2]:
        move(message, Status.ACCEPTED)
    assert kinds("church:grace").count("broadcast.progress") == 1

    progress.publish_postponed(NOW + timedelta(seconds=1))
    assert kinds("church:grace").count("broadcast.progress") == 2
    assert events("church:grace")[-1][1]["counts"] == {"queued": 1, "accepted": 2}
    progress.publish_postponed(NOW + timedelta(seconds=5))
    assert kinds("church:grace").count("broadcast.progress") == 2


def test_the_end_of_a_broadcast_is_sent_at_once(grace: Church, grace_owner: User) -> None:
    made = broadcast(grace, grace_owner)
    for message in Message.objects.filter(batch=made.pk).order_by("pk"):
        move(message, Status.DELIVERED)
    assert events("church:grace")[-1] == (
        "broadcast.progress",
        {"broadcast": events("church:grace")[0][1]["id"], "counts": {"delivered": 3}},
    )


def test_a_rolled_back_change_sends_no_event(grace: Church) -> None:
    message = text(grace)
    with transaction.atomic():
        move(message, Status.ACCEPTED)
        transaction.set_rollback(True)
    assert kinds("church:grace") == ["message.created"]


def test_every_church_gets_breaker_events(grace: Church, hope: Church) -> None:
    breaker_changed.send(None, state="open", reason="503")
    assert (
        events("church:grace") == events("church:hope") == [("delivery.breaker", {"state": "open"})]
    )


def test_sockets_and_tickets_share_one_limit(
    grace_owner: User, client: Client, settings: Any
) -> None:
    policies = {**settings.THROTTLING["POLICIES"], "connect": {"rate": "3/h", "by": "user"}}
    settings.THROTTLING = {**settings.THROTTLING, "POLICIES": policies, "ENABLED": True}
    client.force_login(grace_owner)
    assert client.post("/api/v1/realtime/ticket/").status_code == 200
    assert [wiring.may_connect(grace_owner) for _ in range(3)] == [True, True, False]
    assert client.post("/api/v1/realtime/ticket/").status_code == 429


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["church:grace", "church:hope", "church:none", "club:grace"])
def test_authorization_is_the_same_for_one_user_and_for_many(key: str) -> None:
    grace, hope = cast.church("grace", "+15550001111"), cast.church("hope", "+15550002222")
    people = [cast.staff(grace, Role.VIEWER), cast.staff(hope, Role.OWNER)]
    alone = {user.pk for user in people if wiring.may_listen(user, key)}
    assert wiring.listeners(key, {user.pk for user in people}) == alone
    assert len(alone) == (1 if key in {"church:grace", "church:hope"} else 0)
