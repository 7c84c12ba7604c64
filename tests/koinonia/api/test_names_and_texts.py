"""Names and texts in every endpoint: NFC, visible, names on one line."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia import ids
from koinonia.models import Church, Group, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
TO = "+13125550155"
INVISIBLE = [
    "\u200b", "\u200b\u200c\u200d\u2060\ufeff", "\u202e\u202c", "\u2066\u2069", "\u00ad", "\u3164",
    "\u115f\u1160", "\u2800", "\u034f", "\ufe0f", "\U000e0041", " \u00a0\u2003", "\u180e", "\n\t",
    "\u061c", "\uffa0",
]  # fmt: skip
TIDIED = [
    ("\u202eZoe\u0308\u202c", "Zoë"), ("Jose\u0301", "José"), ("  Anna \u00a0 Maria\n", "Anna Maria"),
    ("An\u200bna", "Anna"), ("An\u00adna", "Anna"), ("\ufeffAnna", "Anna"), ("A\x07nna", "Anna"),
    ("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
     "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
]  # fmt: skip


@pytest.mark.parametrize("name", INVISIBLE, ids=ascii)
def test_an_invisible_name_is_refused(
    owner: APIClient, grace: Church, anna: Member, name: str
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    doors: list[tuple[str, str, dict[str, Any], str]] = [
        ("post", "members/", {"first_name": name, "phone": TO}, "first_name"),
        ("patch", f"members/{ids.encode(anna.pk)}/", {"first_name": name}, "first_name"),
        ("post", "groups/", {"name": name}, "name"),
        ("patch", f"groups/{ids.encode(choir.pk)}/", {"name": name}, "name"),
        ("patch", "", {"name": name}, "name"),
    ]
    for verb, path, body, field in doors:
        answer = getattr(owner, verb)(G + path, body, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field]), (verb, path)


@pytest.mark.parametrize(("given", "kept"), TIDIED, ids=ascii)
def test_a_name_is_stored_as_it_appears(
    owner: APIClient, grace: Church, given: str, kept: str
) -> None:
    body = {"first_name": given, "last_name": given, "phone": TO}
    member = owner.post(G + "members/", body, format="json").json()
    assert (member["first_name"], member["last_name"]) == (kept, kept)
    group = owner.post(G + "groups/", {"name": given}, format="json").json()
    assert group["name"] == kept
    assert owner.patch(G, {"name": given}, format="json").json()["name"] == kept


def test_an_invisible_last_name_is_empty(owner: APIClient, grace: Church) -> None:
    body = {"first_name": "Anna", "last_name": "\u200b\u3164", "phone": TO}
    assert owner.post(G + "members/", body, format="json").json()["last_name"] == ""


def test_the_length_of_a_name_is_its_stored_length(owner: APIClient, grace: Church) -> None:
    name = "e\u0301" * 100
    assert owner.post(G + "groups/", {"name": name}, format="json").status_code == 201
    assert owner.post(G + "groups/", {"name": name + "x"}, format="json").status_code == 400


@pytest.mark.parametrize("text", [*INVISIBLE, "\r\n"], ids=ascii)
def test_an_invisible_text_is_empty(owner: APIClient, anna: Member, text: str) -> None:
    broadcast = {"text": text, "audience": {"all": True}}
    for path, body in (("messages/", {"to": TO, "text": text}), ("broadcasts/", broadcast)):
        answer = owner.post(G + path, body, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["text"])
    assert not Message.objects.exists()


def test_the_answer_shows_the_text_as_it_is_sent(owner: APIClient, anna: Member) -> None:
    text = "Cafe\u0301\u202e\r\nat 5\u200b\x07 \u2764\ufe0f"
    sent = owner.post(G + "messages/", {"to": TO, "text": text}, format="json").json()
    assert sent["text"] == "Café\nat 5 \u2764\ufe0f"
    broadcast = {"text": text, "audience": {"all": True}}
    made = owner.post(G + "broadcasts/", broadcast, format="json").json()
    assert made["text"] == sent["text"]


@pytest.mark.parametrize("phone", ["\u202a(312) 555-0155\u202c", "\u200e312\u200b5550155\ufeff"])
def test_a_number_with_direction_marks_is_the_number(
    owner: APIClient, grace: Church, phone: str
) -> None:
    body = {"first_name": "Anna", "phone": phone}
    assert owner.post(G + "members/", body, format="json").json()["phone"] == TO


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=cast.PASSWORD))
    return client


def form(**fields: Any) -> dict[str, Any]:
    """Return the data of an admin form with an empty inline."""
    inline = {"staff-TOTAL_FORMS": 0, "staff-INITIAL_FORMS": 0}
    return {**inline, **fields}


def errors(answer: Any) -> dict[str, Any]:
    return dict(answer.context["adminform"].form.errors) if answer.context else {}


@pytest.mark.parametrize("name", INVISIBLE, ids=ascii)
def test_the_admin_refuses_an_invisible_name(admin: Client, grace: Church, name: str) -> None:
    add = "/admin/koinonia/{}/add/"
    church = {"slug": "new", "phone_number": "+13125550300", "country": "US", "timezone": "UTC"}
    member = {"church": grace.pk, "first_name": name, "phone": TO}
    assert "first_name" in errors(admin.post(add.format("member"), form(**member)))
    group = {"church": grace.pk, "name": name}
    assert "name" in errors(admin.post(add.format("group"), form(**group)))
    assert "name" in errors(admin.post(add.format("church"), form(name=name, **church)))


def test_the_admin_stores_a_name_as_it_appears(admin: Client, grace: Church) -> None:
    admin.post("/admin/koinonia/group/add/", form(church=grace.pk, name=" Jose\u0301\u202e  x "))
    assert Group.objects.get().name == "José x"


@pytest.mark.parametrize("name", ["\u3164", "\u115f", "\uffa0"], ids=ascii)
def test_the_admin_refuses_an_invisible_user_name(admin: Client, name: str) -> None:
    given = {"username": name, "password1": "long enough 1", "password2": "long enough 1"}
    answer = admin.post("/admin/auth/user/add/", {**given, "usable_password": "true"})
    assert "username" in errors(answer)
    assert User.objects.count() == 1
