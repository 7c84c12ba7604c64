"""If-Match on every kind of row that can be changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from koinonia.models import Church, Group, Member, Role
from tests.httpopt.church_data import fill_church
from tests.support import cast

API = "/api/v1/churches/"
KINDS = {
    "church": (f"{API}grace/", {"name": "Grace Chapel"}),
    "members": (f"{API}grace/members/", {"first_name": "Other"}),
    "groups": (f"{API}grace/groups/", {"name": "Band"}),
    "keywords": (f"{API}grace/keywords/", {"word": "SING"}),
    "webhooks": (f"{API}grace/webhooks/", {"name": "Website"}),
    "staff": (f"{API}grace/staff/", {"role": "sender"}),
}


@pytest.fixture
def owner(grace: Church, grace_owner: User) -> APIClient:
    fill_church(grace, grace_owner)
    cast.staff(grace, Role.VIEWER)
    client = APIClient()
    client.force_authenticate(grace_owner)
    return client


@pytest.fixture(params=list(KINDS))
def seen(request: pytest.FixtureRequest, owner: APIClient) -> tuple[str, str, dict[str, str]]:
    """Return the path of an item, its ``etag``, and a change."""
    path, change = KINDS[request.param]
    if request.param == "church":
        return path, owner.get(API).json()["results"][0]["etag"], change
    items = owner.get(path).json()["results"]
    item = next(one for one in items if one.get("role") != "owner")
    return f"{path}{item['id']}/", item["etag"], change


def patch(client: APIClient, path: str, change: dict[str, str], **headers: str) -> Any:
    return client.patch(path, change, format="json", headers=headers)


def test_the_etag_in_a_list_allows_one_write(
    owner: APIClient, seen: tuple[str, str, dict[str, str]]
) -> None:
    path, etag, change = seen
    first = patch(owner, path, change, if_match=etag)
    second = patch(owner, path, change, if_match=etag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert first.json()["etag"] != etag
    assert patch(owner, path, change, if_match=first.json()["etag"]).status_code == 200


def test_a_stale_delete_deletes_nothing(
    owner: APIClient, seen: tuple[str, str, dict[str, str]]
) -> None:
    path, etag, change = seen
    patch(owner, path, change)
    refused = owner.delete(path, headers={"if-match": etag})
    if path == f"{API}grace/":
        assert refused.status_code == 405
        return
    assert refused.status_code == 412
    fresh = patch(owner, path, change).json()["etag"]
    assert owner.delete(path, headers={"if-match": fresh}).status_code == 204


def test_a_missing_if_match_is_428_if_it_is_required(
    owner: APIClient, seen: tuple[str, str, dict[str, str]], settings: Any
) -> None:
    settings.HTTPOPT = {**settings.HTTPOPT, "REQUIRE_IF_MATCH": True}
    path, etag, change = seen
    assert patch(owner, path, change).status_code == 428
    assert patch(owner, path, change, if_match=etag).status_code == 200


def test_if_match_works_when_httpopt_is_switched_off(
    owner: APIClient, seen: tuple[str, str, dict[str, str]], settings: Any
) -> None:
    settings.HTTPOPT = {**settings.HTTPOPT, "ENABLED": False}
    path, etag, change = seen
    assert patch(owner, path, change, if_match='"999"').status_code == 412
    assert patch(owner, path, change, if_match=etag).status_code == 200


@pytest.mark.parametrize("coding", ["identity", "gzip", "br", "zstd"])
@pytest.mark.parametrize("query", ["", "?fields=etag"])
def test_the_tag_of_any_coding_and_selection_is_accepted(
    owner: APIClient, seen: tuple[str, str, dict[str, str]], coding: str, query: str
) -> None:
    path, _, change = seen
    if "/staff/" in path:
        pytest.skip("There is no GET of one membership.")
    tag = owner.get(path + query, headers={"accept-encoding": coding})["ETag"]
    changed = patch(owner, path, change, if_match=tag, accept_encoding=coding)
    assert changed.status_code == 200
    assert owner.get(path, headers={"accept-encoding": coding})["ETag"] == changed["ETag"]


def test_a_change_of_the_groups_of_a_member_makes_the_etag_stale(
    owner: APIClient, grace: Church
) -> None:
    path = f"{API}grace/members/"
    member = owner.get(path).json()["results"][0]
    key = Member.objects.get(phone=member["phone"]).pk
    Group.objects.create(church=grace, name="New").members.add(key)
    stale = patch(owner, f"{path}{member['id']}/", {"last_name": "X"}, if_match=member["etag"])
    assert stale.status_code == 412
