from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.testing import ScriptedProvider
from koinonia.models import Church, Group, Member
from realtime.models import Event
from tests.delivery.redis_state import fresh

G = "/api/v1/churches/grace/"
TOMORROW = timedelta(days=1)


@pytest.fixture(autouse=True)
def empty_redis(settings: Any) -> None:
    fresh(settings).close()


@pytest.fixture
def sender(transactional_db: None, grace_sender: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(grace_sender)
    return client


@pytest.fixture
def choir(grace: Church, anna: Member, ben: Member) -> Group:
    group = Group.objects.create(church=grace, name="Choir")
    group.members.add(anna, ben)
    return group


@dataclass
class Tomorrow:
    """A worker at the due time of everything scheduled for tomorrow."""

    client: APIClient
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    at: datetime = field(default_factory=lambda: timezone.now() + TOMORROW + timedelta(minutes=1))

    def drain(self) -> Drain:
        return Drain(Threads(2, lambda alias: self.provider), clock=lambda: self.at)

    def comes(self) -> set[tuple[str, str]]:
        """Send all due messages and return (number, text) of each sent message."""
        self.drain().run()
        return self.sent()

    def sent(self) -> set[tuple[str, str]]:
        called = [request.message_id for request in self.provider.requests]
        assert len(called) == len(set(called)), "A message was sent twice."
        rows = Message.objects.filter(pk__in=called).values_list("to_number", "text")
        return set(rows)

    def broadcast(self, text: str = "Dear {first_name}", **audience: Any) -> dict[str, Any]:
        body = {"text": text, "audience": audience or {"all": True}, "send_at": later()}
        answer = self.client.post(G + "broadcasts/", body, format="json")
        assert answer.status_code == 202, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def text(self, text: str = "Dear {first_name}", **to: Any) -> dict[str, Any]:
        body = {"text": text, "send_at": later(), **to}
        answer = self.client.post(G + "messages/", body, format="json")
        assert answer.status_code == 202, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def look(self, kind: str, made: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.client.get(f"{G}{kind}/{made['id']}/").json()
        return shown


def later() -> str:
    return (timezone.now() + TOMORROW).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def tomorrow(sender: APIClient) -> Tomorrow:
    return Tomorrow(sender)


def events(kind: str) -> list[dict[str, Any]]:
    """Return the data of the events of this type in order."""
    return [json.loads(event.body)["data"] for event in Event.objects.filter(type=kind)]
