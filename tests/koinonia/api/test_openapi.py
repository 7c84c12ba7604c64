"""The OpenAPI schema matches the behaviour of the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

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
