"""Lists cost the same number of statements and of templates, however many rows they show.

A template for each row was most of the time of the slowest pages. The figures are in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.models import Message
from koinonia import audit
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.console import trouble
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Group, InboxState, Member
from koinonia.texts.send import send_text
from tests.console.pages import MOST_QUERIES
from tests.support import cast

FEW, MANY = 2, 12
EVERYONE = Audience(everyone=True, as_sent={"all": True})


def number(index: int) -> str:
    return f"+1312555{index:04}"


class Office:
    """Grace Church with a growing number of everything that lists show."""

    def __init__(self, church: Church, owner: User) -> None:
        self.church, self.owner, self.rows = church, owner, 0
        self.choir = Group.objects.create(church=church, name="Choir")
        self.mary = cast.member(church, "Mary", number(9999))

    def grow(self, rows: int) -> None:
        now = timezone.now()
        for index in range(self.rows, rows):
            self._person(index)
            Group.objects.create(church=self.church, name=f"Group {index}")
            self._text(to=self.mary.phone, text=f"Hello {index}\nexample.org")
            self._text(to=number(index), text="Later", send_at=now + timedelta(days=1))
            self._broadcast(text=f"To all {index}")
            self._broadcast(text=f"Tomorrow {index}", scheduled_at=now + timedelta(days=1))
            audit.record(self.church, self.owner, "member.changed", self.mary)
        self.rows = rows

    def _person(self, index: int) -> None:
        for digits in (index, index + 1000):
            person = cast.member(self.church, f"Anna{index}", number(digits))
            person.groups.add(self.choir)
        thread = conversation_with(self.church, number(index), now=timezone.now())
        Conversation.objects.filter(pk=thread.pk).update(
            state=InboxState.OPEN, inbox_at=timezone.now(), unread_count=1
        )

    def _text(self, *, to: str, text: str, **over: Any) -> Message:
        now = timezone.now()
        return send_text(self.church, text, to=to, author=self.owner, now=now, **over)

    def _broadcast(self, *, text: str, **over: Any) -> None:
        now = timezone.now()
        send_broadcast(self.church, text, EVERYONE, author=self.owner, now=now, **over)


@pytest.fixture
def office(grace: Church, grace_owner: User) -> Office:
    return Office(grace, grace_owner)


def costs_of(client: Client, path: str) -> tuple[int, int]:
    """Return the statements and the templates of the second opening of a page."""
    assert client.get(path).status_code == 200
    # A process keeps the states of the accounts for two seconds.
    trouble.forget()
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path)
    return len(seen.captured_queries), len(answer.templates)


PATHS: dict[str, Callable[[Office], str]] = {
    "today": lambda office: "",
    "log": lambda office: "log/",
    "inbox": lambda office: "inbox/",
    "conversation": lambda office: f"inbox/{encode(_thread(office.mary))}/",
    "sent": lambda office: "sent/",
    "single texts": lambda office: "sent/texts/",
    "members": lambda office: "members/",
    "member": lambda office: f"members/{encode(office.mary.pk)}/",
    "doubles": lambda office: "members/doubles/",
    "a member's form": lambda office: f"members/{encode(office.mary.pk)}/edit/",
    "groups": lambda office: "groups/",
    "group": lambda office: f"groups/{encode(office.choir.pk)}/",
    "send": lambda office: "send/",
}


def _thread(member: Member) -> int:
    return Conversation.objects.get(church=member.church, phone=member.phone).pk


def test_rows_cost_neither_statements_nor_templates(office: Office, grace_owner: User) -> None:
    client = Client()
    client.force_login(grace_owner)
    office.grow(FEW)
    paths = {name: f"/churches/grace/{path(office)}" for name, path in PATHS.items()}
    few = {name: costs_of(client, path) for name, path in paths.items()}
    office.grow(MANY)
    many = {name: costs_of(client, path) for name, path in paths.items()}
    assert many == few
    assert {name for name, (statements, _) in many.items() if statements > MOST_QUERIES} == set()
