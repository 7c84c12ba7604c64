"""``Vary`` names every header that changes an answer, and ``me/`` supports sparse fields."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

ME = "/api/v1/me/"
CHURCH = "/api/v1/churches/grace/"
PATHS = [
    ME,
    CHURCH,
    f"{CHURCH}members/",
    f"{CHURCH}delivery/",
    f"{CHURCH}events/",
    "/churches/grace/",
    "/api/docs/",
]


@pytest.fixture
def browser(grace_owner: User) -> Client:
    client = Client()
    client.force_login(grace_owner)
    return client


def vary(answer: Any) -> set[str]:
    return set(answer["Vary"].split(", "))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("site", [None, "same-origin", "cross-site"])
def test_an_answer_to_a_session_varies_by_the_requesting_site(
    browser: Client, path: str, site: str | None
) -> None:
    headers = {"accept-encoding": "gzip"} | ({"sec-fetch-site": site} if site else {})
    first = browser.get(path, headers=headers)
    assert first.status_code == 200
    assert {"Accept-Encoding", "Cookie", "Sec-Fetch-Site"} <= vary(first)
    had = first.get("ETag", '"none"')  # pages of the console have no tag
    again = browser.get(path, headers={**headers, "if-none-match": had})
    if again.status_code == 304:
        assert vary(again) == vary(first)


def test_an_answer_without_a_session_does_not_vary_by_the_site(grace_owner: User) -> None:
    client = APIClient()
    client.force_authenticate(grace_owner)
    answer = client.get(ME, headers={"sec-fetch-site": "cross-site"})
    assert "Sec-Fetch-Site" not in vary(answer)


@pytest.fixture
def client(grace_owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(grace_owner)
    return client


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("username", {"username"}),
        ("id,churches", {"id", "churches"}),
        ("churches.slug,username", {"churches", "username"}),
        ("churches(name,role)", {"churches"}),
    ],
)
def test_me_shows_the_selected_fields(client: APIClient, fields: str, names: set[str]) -> None:
    whole = client.get(ME).json()
    answer = client.get(ME, {"fields": fields})
    assert (answer.status_code, answer.json().keys()) == (200, names)
    for name in names - {"churches"}:
        assert answer.json()[name] == whole[name]
    if fields == "churches(name,role)":
        assert answer.json()["churches"] == [
            {"name": whole["churches"][0]["name"], "role": "owner"}
        ]


@pytest.mark.parametrize(
    "fields", ["password", "churches.phone_number", "", "is_superuser,id", "a("]
)
def test_an_unknown_field_of_me_is_named(client: APIClient, fields: str) -> None:
    answer = client.get(ME, {"fields": fields})
    assert answer.status_code == 400
    assert "fields" in answer.json()["errors"]


def test_churches_are_not_read_unless_selected(client: APIClient) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(ME, {"fields": "username"})
    assert not [
        query for query in queries if 'FROM "koinonia_staff"' in query["sql"].split("WHERE")[0]
    ]


def test_each_selection_has_another_tag(client: APIClient) -> None:
    tags = {
        client.get(ME, query)["ETag"] for query in ({}, {"fields": "id"}, {"fields": "username"})
    }
    assert len(tags) == 3
