"""Authorization: a table of routes and roles, and a walk over all routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient

from koinonia.api.key_scopes import InScope
from koinonia.api.permissions import IsStaffWithRole
from koinonia.ids import encode
from koinonia.models import (
    Church,
    Conversation,
    Group,
    Keyword,
    Member,
    Staff,
    TextTemplate,
)
from tests.support import cast
from tests.support.webhooks import webhook

OPEN = {"api:login", "api:no-such-path", "api:root", "api:version-root", "api:schema", "api:docs"}
PEOPLE = ("owner", "sender", "viewer", "other", "stranger", "superuser", "nobody")
READ = (200, 200, 200, 404, 404, 404, 401)
OWNERS_READ = (200, 403, 403, 404, 404, 404, 401)
# The body is empty or unusable: 400 shows that the view has read it.
WRITE = (400, 400, 403, 404, 404, 404, 401)
OWNERS_WRITE = (400, 403, 403, 404, 404, 404, 401)
ITEM_WRITE = (404, 404, 403, 404, 404, 404, 401)
TABLE: list[tuple[str, str, str, tuple[int, ...]]] = [
    ("GET", "church", "", READ),
    ("PATCH", "church", "", OWNERS_WRITE),
    ("GET", "members", "", READ),
    ("POST", "members", "", WRITE),
    ("POST", "import", "", WRITE),
    ("GET", "member", "member", READ),
    ("PATCH", "member", "member", WRITE),
    ("GET", "groups", "", READ),
    ("POST", "groups", "", WRITE),
    ("GET", "group", "group", READ),
    ("PATCH", "group", "group", WRITE),
    ("POST", "group-members", "group", WRITE),
    ("GET", "keywords", "", READ),
    ("POST", "keywords", "", WRITE),
    ("GET", "keyword", "keyword", READ),
    ("PATCH", "keyword", "keyword", WRITE),
    ("DELETE", "keyword", "none", ITEM_WRITE),
    ("GET", "settings", "", READ),
    ("PATCH", "settings", "", OWNERS_WRITE),
    ("GET", "messages", "", READ),
    ("POST", "messages", "", WRITE),
    ("GET", "message", "none", (404, 404, 404, 404, 404, 404, 401)),
    ("POST", "message-cancel", "none", ITEM_WRITE),
    ("GET", "broadcasts", "", READ),
    ("POST", "broadcasts", "", WRITE),
    ("POST", "broadcast-cancel", "none", ITEM_WRITE),
    ("GET", "conversations", "", READ),
    ("GET", "conversation", "conversation", READ),
    ("GET", "conversation-messages", "conversation", READ),
    ("POST", "conversation-messages", "conversation", WRITE),
    ("POST", "conversation-read", "conversation", (200, 200, 403, 404, 404, 404, 401)),
    ("PATCH", "conversation", "conversation", WRITE),
    ("POST", "conversation-opt-out", "none", ITEM_WRITE),
    ("POST", "message-not-a-stop", "none", ITEM_WRITE),
    ("GET", "colleagues", "", READ),
    ("GET", "notes", "", READ),
    ("POST", "notes", "", WRITE),
    ("GET", "note", "none", (404, 404, 404, 404, 404, 404, 401)),
    ("DELETE", "note", "none", ITEM_WRITE),
    ("GET", "staff", "", OWNERS_READ),
    ("GET", "invitations", "", OWNERS_READ),
    ("POST", "invitations", "", OWNERS_WRITE),
    ("DELETE", "invitation", "none", (404, 403, 403, 404, 404, 404, 401)),
    ("DELETE", "staff-member", "none", (404, 403, 403, 404, 404, 404, 401)),
    ("PATCH", "staff-member", "staff", OWNERS_WRITE),
    ("GET", "dead-letters", "", READ),
    ("GET", "dead-letters-export", "", READ),
    ("POST", "dead-letters-retry", "", WRITE),
    ("POST", "dead-letter-retry", "none", ITEM_WRITE),
    ("POST", "dead-letter-discard", "none", WRITE),
    ("GET", "delivery", "", READ),
    ("GET", "templates", "", READ),
    ("POST", "templates", "", WRITE),
    ("GET", "template", "template", READ),
    ("PATCH", "template", "template", WRITE),
    ("DELETE", "template", "none", ITEM_WRITE),
    ("GET", "media", "", READ),
    ("POST", "media", "", WRITE),
    ("GET", "media-item", "none", (404, 404, 404, 404, 404, 404, 401)),
    ("GET", "webhooks", "", OWNERS_READ),
    ("POST", "webhooks", "", OWNERS_WRITE),
    ("GET", "webhook", "webhook", OWNERS_READ),
    ("PATCH", "webhook", "webhook", OWNERS_WRITE),
    ("DELETE", "webhook", "none", (404, 403, 403, 404, 404, 404, 401)),
    ("POST", "webhook-rotate", "none", (404, 403, 403, 404, 404, 404, 401)),
    ("POST", "webhook-test", "none", (404, 403, 403, 404, 404, 404, 401)),
    ("POST", "webhook-redeliver", "webhook", OWNERS_WRITE),
    ("GET", "webhook-deliveries", "webhook", OWNERS_READ),
]
BAD: dict[str, Any] = {
    "role": "king",
    "name": "",
    "timezone": "Mars",
    "first_name": "",
    "text": "",
    "word": "",
}


@pytest.fixture
def people(
    grace_owner: User, grace_sender: User, grace_viewer: User, hope_owner: User, stranger: User
) -> dict[str, APIClient]:
    superuser = User.objects.create_superuser("root", password=cast.PASSWORD)
    everyone = (grace_owner, grace_sender, grace_viewer, hope_owner, stranger, superuser)
    clients = {name: APIClient() for name in PEOPLE}
    for name, user in zip(PEOPLE, everyone, strict=False):
        clients[name].force_authenticate(user)
    return clients


@pytest.fixture
def items(grace: Church, anna: Member, grace_owner: User) -> dict[str, str]:
    choir = Group.objects.create(church=grace, name="Choir")
    made = {
        "member": anna,
        "group": choir,
        "keyword": Keyword.objects.create(church=grace, word="CHOIR", group=choir),
        "conversation": Conversation.objects.create(church=grace, phone=anna.phone),
        "staff": Staff.objects.get(user=grace_owner),
        "template": TextTemplate.objects.create(church=grace, name="Sunday", text="Come"),
        "webhook": webhook(grace, "https://hooks.example.org/"),
    }
    return {"none": encode(999), **{name: encode(item.pk) for name, item in made.items()}}


def test_each_role_may_do_what_the_table_says(
    people: dict[str, APIClient], items: dict[str, str]
) -> None:
    found = [
        (
            method,
            route,
            item,
            tuple(_status(people[name], method, route, items.get(item)) for name in PEOPLE),
        )
        for method, route, item, _ in TABLE
    ]
    assert found == TABLE


def _status(client: APIClient, method: str, route: str, item: str | None) -> int:
    path = reverse(f"api:{route}", args=["grace", item] if item else ["grace"])
    if route == "media" and method == "POST":
        return client.post(path, {}, format="multipart").status_code
    if route == "import":
        return client.generic(method, path, "", content_type="text/csv").status_code
    body = None if method == "GET" else BAD
    return int(getattr(client, method.lower())(path, body, format="json").status_code)


def test_another_church_looks_like_a_missing_one(
    people: dict[str, APIClient], grace: Church
) -> None:
    for name in ("other", "stranger", "superuser"):
        answers = [people[name].get(f"/api/v1/churches/{slug}/") for slug in ("grace", "nowhere")]
        assert [answer.content for answer in answers] == [answers[0].content] * 2


def test_every_route_of_the_api_requires_authentication() -> None:
    views = dict(_routes(get_resolver().url_patterns))
    assert len(views) > 30
    for name, view in views.items():
        asked = getattr(view, "permission_classes", [])
        if name in OPEN:
            assert asked == [AllowAny]
        else:
            assert InScope in asked, name


def test_every_route_below_a_church_requires_a_membership() -> None:
    for name, view in _routes(get_resolver().url_patterns):
        if hasattr(view, "write_role"):
            assert view.permission_classes == [InScope, IsStaffWithRole], name


def _routes(
    patterns: list[Any], space: str = "", inside: bool = False
) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        here = inside or str(pattern.pattern) == "api/"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, f"{pattern.namespace or space}", here)
        elif isinstance(pattern, URLPattern) and here:
            yield f"{space}:{pattern.name}", getattr(pattern.callback, "cls", None)
