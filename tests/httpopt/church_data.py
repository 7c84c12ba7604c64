"""A church with rows of every kind, and the answers of the API about it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.models import Attempt, Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.models import (
    Attachment,
    Broadcast,
    Church,
    Conversation,
    Group,
    Keyword,
    Member,
    Note,
    Series,
    TextTemplate,
    WebhookEndpoint,
)
from tests.support import cast
from tests.support.webhooks import webhook

NOW = timezone.now()


def fill_church(church: Church, author: User) -> None:
    """Make at least one row of every kind that the API shows."""
    choir = Group.objects.create(church=church, name="Choir")
    Keyword.objects.create(church=church, word="CHOIR", group=choir)
    for number in range(3):
        phone = f"+1312555{church.pk % 10}{number:03}"
        member = cast.member(church, f"M{number}", phone)
        member.groups.add(choir)
        conversation = Conversation.objects.create(church=church, phone=phone, updated_at=NOW)
        last = make_message(church, author, member=member, thread=conversation.pk)
        conversation.last_message = last
        conversation.save()
    Note.objects.create(
        church=church, conversation=conversation, text="Sings", author=author, created_at=NOW
    )
    broadcast = Broadcast.objects.create(
        church=church, text="Hi", audience={"all": True}, total=1, author=author, created_at=NOW
    )
    later = NOW + timedelta(hours=1)
    planned = Broadcast.objects.create(
        church=church, text="Soon", audience={"all": True}, total=1, author=author, created_at=NOW,
        scheduled_at=later,
    )  # fmt: skip
    make_message(
        church, author, batch=planned.pk, status=Status.SCHEDULED, scheduled_at=later,
        next_attempt_at=later, expires_at=later + timedelta(hours=1),
    )  # fmt: skip
    Series.objects.create(
        church=church, text="Hi", audience={"all": True}, author=author, every="week",
        starts_on=NOW.date(), at=time(9), created_at=NOW,
    )  # fmt: skip
    TextTemplate.objects.create(church=church, name="Sunday", text="Come on Sunday")
    Attachment.objects.create(
        church=church, name="choir.png", kind="image/png", size=4, digest=str(church.pk),
        content=b"\x89PNG", author=author, created_at=NOW, keep_until=later,
    )  # fmt: skip
    webhook(church, "https://hooks.example.org/")
    make_message(church, author, status=Status.DEAD, dead_since=NOW, error_code="timeout")
    attempted = make_message(church, author, batch=broadcast.pk)
    Attempt.objects.create(
        message=attempted, number=1, started_at=NOW, duration_ms=5, outcome="accepted"
    )


def make_message(
    church: Church, author: User | None = None, member: Member | None = None, **over: Any
) -> Message:
    values: dict[str, Any] = {
        "to_number": member.phone if member else "+13125559999",
        "recipient": member,
        "from_number": church.phone_number,
        "status": Status.SENT,
        "text": "Hello",
        "created_at": NOW,
        "updated_at": NOW,
        "author": author,
        **over,
    }
    return Message.objects.create(tenant=church, **values)


def paths(church: Church) -> list[str]:
    """Return every path with a GET of a church, including its first and last items."""
    base = f"/api/v1/churches/{church.slug}/"
    of = {
        "members": Member.objects.filter(church=church),
        "groups": Group.objects.filter(church=church),
        "keywords": Keyword.objects.filter(church=church),
        "messages": Message.objects.filter(tenant=church),
        "broadcasts": Broadcast.objects.filter(church=church),
        "conversations": Conversation.objects.filter(church=church),
        "notes": Note.objects.filter(church=church),
        "templates": TextTemplate.objects.filter(church=church),
        "media": Attachment.objects.filter(church=church),
        "webhooks": WebhookEndpoint.objects.filter(church=church),
        "dead-letters": Message.objects.filter(tenant=church, status=Status.DEAD),
    }
    found = [base, f"{base}staff/", f"{base}colleagues/", "/api/v1/me/", "/api/v1/churches/"]
    found = [base, f"{base}settings/", f"{base}staff/", "/api/v1/me/", "/api/v1/churches/"]
    for name, rows in of.items():
        found.append(f"{base}{name}/")
        found += [f"{base}{name}/{ids.encode(key)}/" for key in _first_and_last(rows)]
    conversation = of["conversations"].earliest("pk")
    attempted = Attempt.objects.filter(message__tenant=church).values_list("message", flat=True)[0]
    found.append(f"{base}conversations/{ids.encode(conversation.pk)}/messages/")
    found.append(f"{base}messages/{ids.encode(attempted)}/attempts/")
    found.append(f"{base}dead-letters/export/")
    return found


def _first_and_last(rows: Any) -> list[int]:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    return sorted({keys[0], keys[-1]}) if keys else []


def answers(user: User, church: Church) -> dict[str, tuple[str, bytes]]:
    """Return tag and body of each path that answers 200."""
    client = Client()
    client.force_login(user)
    found = {}
    for path in paths(church):
        response = client.get(path)
        if response.status_code == 200:
            found[path] = (response["ETag"], response.content)
    return found
