"""The OpenAPI schema matches the behaviour of the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from koinonia.api.idempotency import HEADER
from koinonia.models import Church

CHURCH = "/api/v1/churches/{church}/"
VERSIONED = ("members/{id}/", "groups/{id}/", "staff/{id}/")


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(  # type: ignore[no-untyped-call] # drf-spectacular's
        request=None, public=True
    )


def responses(schema: Any, path: str, verb: str) -> Any:
    return schema["paths"][CHURCH + path][verb]["responses"]


@pytest.mark.parametrize("kind", ["members/", "groups/", "invitations/"])
def test_a_creation_is_a_201(schema: Any, kind: str) -> None:
    assert {"200", "201"} & responses(schema, kind, "post").keys() == {"201"}


@pytest.mark.parametrize("item", VERSIONED)
def test_a_malformed_if_match_is_a_400(schema: Any, item: str) -> None:
    assert {"400", "412"} <= responses(schema, item, "delete").keys()


def test_the_groups_of_a_member_are_read_as_items_and_written_by_id(schema: Any) -> None:
    components = schema["components"]["schemas"]
    read = components["Member"]["properties"]["groups"]["items"]
    assert read["properties"].keys() == {"id", "name"}
    assert components["MemberRequest"]["properties"]["groups"]["items"]["type"] == "string"


def test_options_of_the_export_is_json(grace: Church, owner: APIClient, grace_owner: User) -> None:
    told = owner.options(f"/api/v1/churches/{grace.slug}/dead-letters/export/")
    assert (told.status_code, told["Content-Type"]) == (200, "application/json")


def test_every_list_documents_both_links(schema: Any) -> None:
    components = schema["components"]["schemas"]
    lists = {
        name: set(component["properties"])
        for name, component in components.items()
        if "results" in component.get("properties", {})
    }
    assert {"InvitationsPage", "MyInvitationsPage", "TokensPage"} <= lists.keys()
    assert set(map(frozenset, lists.values())) == {frozenset({"next", "previous", "results"})}


def test_exactly_the_idempotent_operations_document_the_key(schema: Any) -> None:
    documented = {
        (path, verb)
        for path, verbs in schema["paths"].items()
        for verb, operation in verbs.items()
        if any(one["name"] == HEADER for one in operation.get("parameters", []))
    }
    sending = (
        "messages/",
        "broadcasts/",
        "conversations/{id}/messages/",
        "dead-letters/{id}/retry/",
        "dead-letters/retry/",
        "members/{id}/merge/",
        "series/",
    )
    assert documented == {(CHURCH + path, "post") for path in sending}
    for path in sending:
        assert {"409", "422"} <= responses(schema, path, "post").keys()
