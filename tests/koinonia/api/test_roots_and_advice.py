"""The roots of the API link everything, and an error says what to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries
from rest_framework import serializers
from rest_framework.test import APIClient
from twisted.web.http import RESPONSES

import realtime.daphne  # noqa: F401 -- it completes the table of Twisted
from koinonia.models import Church

G = "/api/v1/churches/grace/"


@pytest.mark.parametrize("path", ["/api/", "/api/v1/"])
def test_a_root_is_open_and_costs_no_query(
    db: None, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.json()["documentation"] == "http://testserver/api/docs/"


def test_every_link_of_a_root_leads_to_a_view(db: None) -> None:
    answer = Client().get("/api/v1/").json()
    links = [link for link in answer.values() if isinstance(link, str)]
    of_church = [link.replace("{church}", "grace") for link in answer["church"].values()]
    assert answer["church"]["messages"] == "http://testserver/api/v1/churches/{church}/messages/"
    for link in [*links, *of_church]:
        assert resolve(link.removeprefix("http://testserver")).url_name != "no-such-path", link


def test_an_unknown_path_names_the_root(db: None) -> None:
    answer = Client().get("/api/v1/member/")
    assert answer.status_code == 404
    assert "/api/v1/ lists the paths" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "Send `Authorization: Bearer <token>`"),
        ("Token 12345", "not `Authorization: Token"),
        ("Basic Z3JhY2U6", "not `Authorization: Basic"),
        ("12345", "not `Authorization: 12345"),
    ],
)
def test_a_missing_credential_is_explained(db: None, header: str, told: str) -> None:
    answer = Client().get("/api/v1/me/", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("get", "messages/?status=bogus", None, "scheduled, queued, sending"),
        ("get", "messages/?direction=up", None, "outbound, inbound"),
        ("get", "dead-letters/?status=sent", None, "dead, unknown"),
        ("post", "invitations/", {"username": "ann", "role": "admin"}, "owner, sender, viewer"),
        ("patch", "settings/", {"language": "fr"}, "en"),
        (
            "post",
            "webhooks/",
            {"types": ["message.*"]},
            "“message.*” is not one of the choices: broadcast.created",
        ),
        ("post", "/api/v1/me/tokens/", {"scopes": ["all"]}, "read, send, people"),
    ],
)
def test_a_wrong_choice_names_the_choices(
    owner: APIClient, grace: Church, method: str, path: str, body: Any, told: str
) -> None:
    answer = getattr(owner, method)(urljoin(G, path), body, format="json")
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_each_choice_that_a_client_writes_names_the_choices() -> None:
    plain = [
        f"{one.__module__}.{one.__name__}.{name}"
        for one in _below(serializers.Serializer)
        if one.__module__.startswith("koinonia.api")
        for name, field in one().get_fields().items()
        for inner in (field, getattr(field, "child", None))
        if type(inner) is serializers.ChoiceField and not field.read_only
        if not issubclass(one, serializers.ModelSerializer) and one.__name__ not in _ANSWERS
    ]
    assert plain == [], "Use ChoiceField of koinonia.api.serializers.fields."


_ANSWERS = {"BreakerSerializer", "RenderingSerializer"}
"""These serializers only write answers."""


def _below(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*(_below(one) for one in kind.__subclasses__()))


def test_two_errors_are_two_sentences(owner: APIClient, grace: Church) -> None:
    answer = owner.post(f"{G}messages/", {"txt": "Hi", "send_at": "2026-12-06"}, format="json")
    detail = answer.json()["detail"]
    assert ".;" not in detail
    assert detail.count(": ") >= 2


def test_the_schema_is_json_for_a_program_that_asks_in_the_query(db: None) -> None:
    for query, kind in (
        ("", "openapi:"),
        ("?format=yaml", "openapi:"),
        ("?format=json", "{"),
    ):
        assert Client().get(f"/api/schema/{query}").content.decode().startswith(kind)
    assert Client().get("/api/schema/?format=pdf").status_code == 200


def test_a_webhook_without_types_is_told_in_plain_words(owner: APIClient, grace: Church) -> None:
    answer = owner.post(f"{G}webhooks/", {"types": []}, format="json")
    assert answer.json()["errors"]["types"] == ["This list may not be empty."]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"{G}members/zzzz/", "There is nothing with this id here."),
        (f"{G}messages/zzzz/", "There is nothing with this id here."),
        ("/api/v1/churches/mercy/members/", "/api/v1/me/ lists the slugs"),
        ("/api/v1/churches/mercy/events/", "/api/v1/me/ lists the slugs"),
    ],
)
def test_what_is_missing_is_named(owner: APIClient, grace: Church, path: str, told: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 404
    assert told in answer.json()["detail"]


def test_an_unknown_field_is_answered_with_the_fields(owner: APIClient, grace: Church) -> None:
    answer = owner.get(f"{G}members/?fields=id,frist_name")
    assert answer.status_code == 400
    assert "Unknown: frist_name. There are: id, first_name, last_name" in answer.json()["detail"]


def test_a_wrong_choice_is_repeated_in_short(owner: APIClient, grace: Church) -> None:
    answer = owner.get(f"{G}messages/?status={'x' * 5000}")
    assert len(answer.json()["errors"]["status"][0]) <= 300


def test_a_missing_method_names_the_others(owner: APIClient, grace: Church) -> None:
    answer = owner.put(f"{G}groups/", {}, format="json")
    assert answer.json()["detail"] == "PUT is not allowed here. This path takes GET, POST, HEAD."


def test_another_media_type_names_the_accepted_ones(owner: APIClient, grace: Church) -> None:
    answer = owner.post(
        f"{G}groups/", "name=Choir", content_type="application/x-www-form-urlencoded"
    )
    assert "Send application/json." in answer.json()["detail"]


def test_a_login_with_a_form_is_told_to_send_json(db: None, grace_owner: User) -> None:
    answer = Client().post("/api/v1/auth/login/", {"username": "grace-owner", "password": "x"})
    assert (answer.status_code, "application/json" in answer.json()["detail"]) == (415, True)


def test_the_server_has_a_reason_phrase_for_each_status() -> None:
    assert {RESPONSES[code] for code in (428, 429)} == {
        b"Precondition Required",
        b"Too Many Requests",
    }
