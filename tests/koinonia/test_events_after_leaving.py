"""The stream of a user who has left a church: it contains no event of that church."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from delivery.accept import accept_message
from delivery.changes import message_changes
from delivery.drafts import Draft
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.models import Church, Role, Staff
from realtime import credentials, tickets
from realtime.consumer import EventConsumer
from realtime.models import Event
from tests.support import cast

PHONE = "+13125550123"
SECONDS = 20
EVENTS = "/api/v1/me/events/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def author(grace: Church, hope: Church) -> User:
    """Return a user on the staff of both churches."""
    user = cast.staff(grace, Role.SENDER)
    Staff.objects.create(church=hope, user=user, role=Role.SENDER)
    return user


def delivered(church: Church, author: User) -> None:
    """Set a message of the author to delivered, so that the author gets an event."""
    now = timezone.now()
    with message_changes(now):
        thread = conversation_with(church, PHONE, now=now)
        draft = Draft(to=PHONE, text="Hello", thread=thread.pk)
        message = accept_message(church, draft, author=author, now=now)
    with message_changes(now) as changes:
        previous, message.status = message.status, Status.DEAD
        message.next_attempt_at, message.dead_since = None, now
        message.save()
        changes.add(message, previous=previous)


def churches(answer: Any) -> list[str]:
    return [event["data"]["church"] for event in answer["events"]]


def leave(church: Church, user: User) -> None:
    client = Client()
    client.force_login(user)
    path = f"/api/v1/churches/{church.slug}/staff/me/"
    assert client.delete(path).status_code == 204


def test_a_final_status_after_leaving_is_not_logged(
    grace: Church, hope: Church, author: User
) -> None:
    leave(grace, author)
    delivered(grace, author)
    delivered(hope, author)
    bodies = Event.objects.filter(stream__key=f"user:{author.pk}").values_list("body", flat=True)
    assert [json.loads(body)["data"]["church"] for body in bodies] == ["hope"]


def test_an_earlier_event_is_not_sent_again(grace: Church, hope: Church, author: User) -> None:
    for church in (grace, hope, grace, hope):
        delivered(church, author)
    client = Client()
    client.force_login(author)
    before = client.get(f"{EVENTS}?after=0").json()
    assert churches(before) == ["grace", "hope", "grace", "hope"]
    leave(grace, author)
    after = client.get(f"{EVENTS}?after=0").json()
    assert churches(after) == ["hope", "hope"]
    assert [event["seq"] for event in after["events"]] == [2, 4]
    # The frame covers the left-out positions, so that clients see no gap.
    assert (after["from"], after["to"], after["reset"]) == (1, 4, False)


async def test_a_socket_gets_the_same_events(grace: Church, hope: Church, author: User) -> None:
    for church in (grace, hope, grace):
        await sync_to_async(delivered)(church, author)
    await sync_to_async(leave)(grace, author)
    credential = credentials.of_user(author)
    ticket, _ = await sync_to_async(tickets.issue)(credential, now=timezone.now())
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), f"/ws/v1/?ticket={ticket}")
    await socket.connect(timeout=SECONDS)
    assert (await socket.receive_json_from(SECONDS))["type"] == "welcome"
    await socket.send_json_to({"type": "subscribe", "stream": "user:me", "since": 0})
    assert (await socket.receive_json_from(SECONDS))["type"] == "subscribed"
    replayed = await socket.receive_json_from(SECONDS)
    assert (replayed["from"], replayed["to"], churches(replayed)) == (1, 3, ["hope"])
    await sync_to_async(delivered)(grace, author)
    await sync_to_async(delivered)(hope, author)
    live = await socket.receive_json_from(SECONDS)
    assert (live["from"], live["to"], churches(live)) == (4, 4, ["hope"])
    await socket.disconnect()


async def test_a_held_poll_gets_the_same_events(grace: Church, hope: Church, author: User) -> None:
    await sync_to_async(delivered)(grace, author)
    await sync_to_async(leave)(grace, author)
    client = AsyncClient()
    await sync_to_async(client.force_login)(author)
    answer = (await client.get(f"{EVENTS}?after=0&wait=25")).json()
    assert (answer["from"], answer["to"], answer["events"]) == (1, 1, [])
