"""The CPU cost of requests with a body, for a benchmark and its short form in the tests."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from koinonia import ids
from koinonia.models import Conversation, Group, Role
from tests.support import cast
from tests.support.hostile_bodies import JSON, bodies, multipart

_NOT_OURS = ("/auth/", "/import/")
"""Excluded: the cost of a login is the password hash, and the import has a separate benchmark."""
_MEMBERS = 10


@dataclass
class Asked:
    """One request; ``status`` is set when it was sent."""

    told: str
    method: str
    path: str
    content_type: str
    body: Any
    """The body as bytes, although the stubs of the test client expect text."""
    status: int = 0


class Office:
    """A church with ten members and its owner's client; all writes are rolled back."""

    def __init__(self) -> None:
        church = cast.church("grace", "+13125550100")
        owner: User = cast.staff(church, Role.OWNER)
        people = [cast.member(church, "A", f"+1312555{number:04}") for number in range(_MEMBERS)]
        group = Group.objects.create(church=church, name="Choir")
        conversation = Conversation.objects.create(church=church, phone=people[0].phone)
        place = church.staff.get(user=owner)
        self.ids = {"members": people[0].pk, "groups": group.pk, "conversations": conversation.pk}
        self.ids["staff"] = place.pk
        self.client = APIClient(raise_request_exception=False)
        self.client.force_authenticate(owner)
        self._number = itertools.count()

    def ordinary(self) -> float:
        """Return the CPU seconds for sending a short text."""
        body = b'{"to":"+13125550199","text":"Choir practice is at seven."}'
        path = "/api/v1/churches/grace/messages/"
        asked = Asked("ordinary", "POST", path, JSON, body)
        seconds = self.cost(asked)
        assert asked.status == 202, asked
        return seconds

    def cost(self, asked: Asked) -> float:
        """Return the CPU seconds of this process for one request; roll it back."""
        with transaction.atomic():
            start = time.process_time()
            answer = self.client.generic(
                asked.method, asked.path, asked.body, content_type=asked.content_type
            )
            seconds = time.process_time() - start
            transaction.set_rollback(True)
        asked.status = answer.status_code
        assert answer.status_code < 500, asked.told
        return seconds


def requests_of(office: Office, size: int) -> Iterator[Asked]:
    """Yield each shape of body for each field of each route with a body."""
    documented: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # drf-spectacular's
    for template, verbs in documented["paths"].items():
        for verb, operation in verbs.items():
            content = operation.get("requestBody", {}).get("content", {}).get(JSON)
            if content is None or any(part in template for part in _NOT_OURS):
                continue
            kind = template.removeprefix("/api/v1/churches/{church}/").partition("/")[0]
            path = template.format(
                church="grace", id=ids.encode(office.ids.get(kind, 1)), token="x"
            )
            name = content["schema"]["$ref"].rpartition("/")[2]
            fields = list(documented["components"]["schemas"][name]["properties"])
            for told, body in bodies(fields, size):
                yield Asked(f"{verb} {template} {told}", verb.upper(), path, JSON, body)
            for told, content_type, body in multipart(size):
                yield Asked(f"{verb} {template} {told}", verb.upper(), path, content_type, body)
