"""Methods and content negotiation: 405 for a missing method; Accept never prevents a write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from koinonia.api import urls
from koinonia.models import Church, Group, Member
from tests.httpopt.church_data import fill_church
from tests.support import cast

G = "/api/v1/churches/grace/"
PROBLEM = "application/problem+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QQQ")


def paths() -> Iterator[tuple[str, set[str]]]:
    """Return each path of the API with its methods."""
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None) if isinstance(pattern, URLPattern) else None
        if view is None or pattern.name in ("no-such-path", "schema", "docs"):
            continue
        path = f"/api/{pattern.pattern}"
        for name, value in (("slug:church", "grace"), ("str:id", "Uk"), ("str:token", "Uk")):
            path = path.replace(f"<{name}>", value)
        has = {name.upper() for name in view.http_method_names if hasattr(view, name)}
        yield path, (has | {"HEAD"}) if "GET" in has else has


@pytest.fixture
def furnished(grace: Church, grace_owner: User) -> Church:
    fill_church(grace, grace_owner)
    return grace


@pytest.mark.parametrize(("path", "has"), list(paths()), ids=[path for path, _ in paths()])
def test_a_missing_method_is_405_and_lists_the_allowed_ones(
    owner: APIClient, furnished: Church, path: str, has: set[str]
) -> None:
    owner.raise_request_exception = False
    for method in METHODS:
        if method in has:
            continue
        answer = owner.generic(method, path, "{}", content_type="application/json")
        assert answer.status_code == 405, (method, answer.content)
        allowed = set(answer["Allow"].split(", "))
        assert allowed | {"HEAD"} == has | {"HEAD"}
        assert method == "HEAD" or answer["Content-Type"] == PROBLEM


def test_the_table_of_routes_is_not_empty() -> None:
    assert len(list(paths())) >= 30


def test_options_is_answered_everywhere(owner: APIClient, furnished: Church) -> None:
    owner.raise_request_exception = False
    for path, has in paths():
        if "OPTIONS" in has and not path.endswith("events/"):
            assert owner.options(path).status_code in (200, 404), path


ODD_ACCEPTS = [
    PROBLEM, "text/csv", "application/xml", "text/html;q=0", "image/png, audio/*", "", ";", "a",
    "application/json;q=0", "application/json;q=x", "a/b;c*=nonsense''%ff", "x" * 5000,
    "application/json; version=7", "*/*;q=0", "\xe9/\xe9",
]  # fmt: skip


@pytest.mark.parametrize("accept", ODD_ACCEPTS, ids=map(str, range(len(ODD_ACCEPTS))))
def test_a_write_succeeds_for_any_accept_header(
    owner: APIClient, grace: Church, accept: str
) -> None:
    headers = {"Accept": accept}
    made = owner.post(f"{G}groups/", {"name": "Choir"}, format="json", headers=headers)
    assert (made.status_code, made["Content-Type"]) == (201, "application/json")
    path = f"{G}groups/{made.json()['id']}/"
    changed = owner.patch(path, {"name": "Ringers"}, format="json", headers=headers)
    assert changed.status_code == 200
    assert owner.delete(path, headers=headers).status_code == 204
    assert not Group.objects.exists()


def test_a_logout_ends_the_token_for_any_accept_header(grace_owner: User) -> None:
    given = {"username": grace_owner.username, "password": cast.PASSWORD}
    for accept in ODD_ACCEPTS:
        token = Client().post("/api/v1/auth/login/", given, "application/json").json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        answer = Client().post("/api/v1/auth/logout/", headers={**bearer, "Accept": accept})
        assert answer.status_code == 204, accept
        assert Client().get("/api/v1/me/", headers=bearer).status_code == 401


@pytest.mark.parametrize("accept", ["application/xml", "text/csv", "image/*"])
def test_a_read_is_406_if_nothing_matches_the_accept_header(
    owner: APIClient, grace: Church, accept: str
) -> None:
    answer = owner.get(f"{G}groups/", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (406, PROBLEM)


@pytest.mark.parametrize("accept", ["x" * 5000, "", " , ", "\xe9/\xe9,*/*"])
def test_a_malformed_accept_header_is_ignored(owner: APIClient, grace: Church, accept: str) -> None:
    assert owner.get(f"{G}groups/", headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", ["text/csv", "application/xml", "text/html;q=0"])
def test_an_error_is_a_problem_for_any_accept_header(
    owner: APIClient, grace: Church, accept: str
) -> None:
    answer = owner.post(f"{G}groups/", {}, format="json", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert list(answer.json()["errors"]) == ["name"]


def operations() -> list[tuple[str, str, str]]:
    documented: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # drf-spectacular's
    return [
        (verb, path, media_type)
        for path, verbs in documented["paths"].items()
        for verb, operation in verbs.items()
        for media_type in sorted(
            {kind for one in operation["responses"].values() for kind in one.get("content", {})}
        )
        if not path.endswith("/events/") and "/schema/" not in path
    ]


@pytest.mark.parametrize(("verb", "path", "accept"), operations())
def test_no_operation_refuses_a_media_type_that_its_schema_lists(
    owner: APIClient, furnished: Church, anna: Member, verb: str, path: str, accept: str
) -> None:
    owner.raise_request_exception = False
    found = path.format(church="grace", id="Uk", token="Uk", delivery="Uk")
    body = "" if verb == "get" else json.dumps({"text": "x"})
    answer = owner.generic(
        verb.upper(), found, body, content_type="application/json", headers={"Accept": accept}
    )
    assert answer.status_code not in (406, 500), answer.content
