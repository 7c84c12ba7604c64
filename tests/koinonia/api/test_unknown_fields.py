"""Unknown fields are refused by name, so that a misspelt name has no effect."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia.models import Broadcast, Church, Group, Member
from tests.httpopt.church_data import fill_church

G = "/api/v1/churches/grace/"
TO = "+13125550155"
STRANGER = "zebra"

MEANT = [
    ("messages/", {"to": TO, "text": "Hi", "scheduled_at": "2030-01-01T09:00:00Z"}, "scheduled_at", "send_at"),
    ("messages/", {"to": TO, "text": "Hi", "sendAt": "2030-01-01T09:00:00Z"}, "sendAt", "send_at"),
    ("messages/", {"to": TO, "txt": "Hi"}, "txt", "text"),
    ("messages/", {"to": TO, "body": "Hi"}, "body", "text"),
    ("messages/", {"phone": TO, "text": "Hi"}, "phone", "to"),
    ("messages/", {"to": TO, "text": "Hi", "expire_at": None}, "expire_at", "expires_at"),
    ("broadcasts/", {"text": "Hi", "audience": {"all": True}, "scheduled_at": None}, "scheduled_at", "send_at"),
    ("members/", {"first_name": "A", "phone": TO, "group": []}, "group", "groups"),
    ("members/", {"firstname": "A", "phone": TO}, "firstname", "first_name"),
    ("members/", {"first_name": "A", "phone_number": TO}, "phone_number", "phone"),
    ("members/", {"first_name": "A", "phone": TO, "optedOut": True}, "optedOut", "opted_out"),
    ("dead-letters/retry/", {"id": ["Uk"]}, "id", "ids"),
    ("dead-letters/retry/", {"filters": {"code": "1"}}, "filters", "filter"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field", "meant"), MEANT)
def test_an_unknown_field_is_refused_with_a_suggestion(
    owner: APIClient, anna: Member, path: str, body: dict[str, Any], field: str, meant: str
) -> None:
    answer = owner.post(G + path, body, format="json")
    assert answer.status_code == 400
    assert f"{meant} is meant" in answer.json()["errors"][field][0]
    assert not Message.objects.exists()
    assert not Broadcast.objects.exists()
    assert Member.objects.count() == 1


def test_an_unknown_field_without_a_similar_name_lists_the_fields(owner: APIClient) -> None:
    answer = owner.post(G + "groups/", {"name": "Choir", "qqqq": 1}, format="json")
    assert answer.json()["errors"] == {
        "qqqq": ["There is no such field here. There are: name, welcome_text."]
    }
    assert not Group.objects.exists()


NESTED = [
    ("broadcasts/", {"text": "Hi", "audience": {"all": True, "group": ["Uk"]}}, "audience", "groups"),
    ("broadcasts/", {"text": "Hi", "audience": {"everyone": True}}, "audience", "everyone"),
    ("dead-letters/retry/", {"filter": {"kode": "40001"}}, "filter.kode", "code is meant"),
    ("dead-letters/retry/", {"filter": {"state": "dead"}}, "filter.state", "status is meant"),
    ("dead-letters/retry/", {"filter": {"code": "40001", "x": 1}}, "filter.x", "no such field"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field", "word"), NESTED)
def test_a_nested_unknown_field_is_refused_too(
    owner: APIClient, anna: Member, path: str, body: dict[str, Any], field: str, word: str
) -> None:
    answer = owner.post(G + path, body, format="json")
    assert answer.status_code == 400
    assert word in answer.json()["errors"][field][0]


@pytest.mark.parametrize("empty", [{}, {"code": None}, {"code": ""}, {"status": ""}, None])
def test_an_empty_filter_does_not_mean_all(owner: APIClient, empty: Any) -> None:
    answer = owner.post(G + "dead-letters/retry/", {"filter": empty}, format="json")
    assert answer.status_code == 400
    assert "filter" in next(iter(answer.json()["errors"]))


def test_all_dead_letters_are_selected_explicitly(owner: APIClient, grace: Church) -> None:
    body = {"filter": {"all": True}}
    answer = owner.post(G + "dead-letters/retry/", body, format="json")
    assert (answer.status_code, answer.json()) == (202, {"retried": 0, "refused": []})
    both = {"filter": {"all": True, "code": "40001"}}
    assert owner.post(G + "dead-letters/retry/", both, format="json").status_code == 400


@pytest.mark.parametrize("kind", ["members", "groups", "staff", ""])
def test_an_item_that_is_sent_back_as_read_is_accepted(
    owner: APIClient, anna: Member, grace: Church, kind: str
) -> None:
    """Accept read-only fields and ignore their values."""
    Group.objects.create(church=grace, name="Choir")
    path = G if not kind else f"{G}{kind}/{owner.get(f'{G}{kind}/').json()['results'][0]['id']}/"
    listed = owner.get(G).json() if not kind else owner.get(f"{G}{kind}/").json()["results"][0]
    answer = owner.patch(path, listed, format="json")
    assert answer.status_code == 200, answer.json()


def test_many_unknown_fields_get_a_short_answer(owner: APIClient) -> None:
    body = {f"{'field' * 30}{number}": 1 for number in range(900)}
    answer = owner.post(G + "messages/", body, format="json")
    assert answer.status_code == 400
    assert len(answer.content) < 8000


def operations() -> list[tuple[str, str]]:
    """Return all operations that accept JSON."""
    documented: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # drf-spectacular's
    return [
        (verb, path)
        for path, verbs in documented["paths"].items()
        for verb, operation in verbs.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


@pytest.mark.parametrize(("verb", "path"), operations())
def test_every_body_of_the_api_refuses_unknown_fields(
    owner: APIClient, grace: Church, grace_owner: User, verb: str, path: str
) -> None:
    fill_church(grace, grace_owner)
    kind = path.removeprefix("/api/v1/churches/{church}/").partition("/")[0]
    there = owner.get(f"{G}{kind}/").json().get("results", []) if "{id}" in path else []
    found = path.format(
        church="grace", id=there[0]["id"] if there else "", token="Uk", delivery="Uk"
    )
    answer = owner.generic(
        verb.upper(), found, '{"zebra": 1}', content_type="application/json"
    )  # fmt: skip
    assert answer.status_code == 400, answer.content
    assert STRANGER in answer.json()["errors"]
