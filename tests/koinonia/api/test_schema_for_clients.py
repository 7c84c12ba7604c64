"""The OpenAPI schema is exact enough for generated clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from jsonschema_rs import Draft4Validator
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from koinonia.models import Church
from tests.httpopt.church_data import fill_church, paths

PROBLEM = "application/problem+json"
NO_FIELDS = ("/events/", "/delivery/", "/deliveries/", "/export/", "/invitations/", "/audit/")


def made() -> Any:
    return SchemaGenerator().get_schema(  # type: ignore[no-untyped-call] # drf-spectacular's
        request=None, public=True
    )


@pytest.fixture(scope="module")
def schema() -> Any:
    return made()


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            yield verb, path, operation


def parameter(operation: Any, name: str) -> Any:
    return next((one for one in operation.get("parameters", []) if one["name"] == name), None)


def test_every_refusal_has_the_content_of_a_problem(settings: Settings) -> None:
    settings.HTTPOPT = {**settings.HTTPOPT, "REQUIRE_IF_MATCH": True}
    seen = set()
    for _, path, operation in operations(made()):
        for code, response in operation["responses"].items():
            if code >= "400":
                seen.add(code)
                assert list(response["content"]) == [PROBLEM], (path, code)
    assert {"400", "401", "404", "412", "428", "429"} <= seen


def test_text_is_a_string_instead_of_a_file(schema: Any) -> None:
    found = 0
    for _, _, operation in operations(schema):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in body.get("content", {}).items():
                if media_type.startswith("text/"):
                    found += 1
                    assert content["schema"] == {"type": "string"}
    assert found >= 2


def test_fields_is_documented_where_it_has_an_effect(schema: Any) -> None:
    for verb, path, operation in operations(schema):
        offered = parameter(operation, "fields")
        if path.endswith(NO_FIELDS) or verb != "get":
            assert offered is None, path
        elif "{church}" in path:
            assert (offered["schema"]["minLength"], offered["schema"]["maxLength"]) == (1, 2000)


def test_every_read_that_can_be_304_documents_it(schema: Any) -> None:
    for path, verbs in schema["paths"].items():
        if "get" in verbs:
            names = {one["name"] for one in verbs["get"]["parameters"]}
            assert ("If-None-Match" in names, "304" in verbs["get"]["responses"]) == (True, True), (
                path
            )


@pytest.mark.parametrize("path", ["delivery/", "invitations/", "events/"])
def test_a_report_that_has_not_changed_is_304(owner: APIClient, grace: Church, path: str) -> None:
    first = owner.get(f"/api/v1/churches/grace/{path}")
    again = owner.get(
        f"/api/v1/churches/grace/{path}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (first.status_code, again.status_code) == (200, 304)


def test_fields_is_ignored_where_it_is_not_documented(viewer: APIClient, grace: Church) -> None:
    for path in ("delivery/", "dead-letters/export/"):
        url = f"/api/v1/churches/grace/{path}"
        plain, chosen = viewer.get(url), viewer.get(f"{url}?fields=nonsense")
        assert (chosen.status_code, chosen.content) == (200, plain.content)


def test_properties_that_fields_may_leave_out_are_not_required(
    schema: Any, owner: APIClient, grace: Church, grace_owner: User
) -> None:
    """Validate each answer with one field, and with all fields, against the schema."""
    fill_church(grace, grace_owner)
    checked = 0
    for path in paths(grace):
        template = re.sub(r"/churches/grace/", "/churches/{church}/", path)
        template = re.sub(r"/(?!me/)([A-Za-z0-9]{1,12})/((messages|attempts)/)?$", _as_id, template)
        operation = schema["paths"].get(template, {}).get("get")
        if operation is None or parameter(operation, "fields") is None:
            continue
        answer = owner.get(path).json()
        item = answer["results"][0] if "results" in answer else answer
        item = item[0] if isinstance(item, list) else item
        content = operation["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {**nullable(content), "components": nullable(schema["components"])}
        Draft4Validator(whole).validate(answer)
        for name in item:
            Draft4Validator(whole).validate(owner.get(f"{path}?fields={name}").json())
            checked += 1
    assert checked > 80


def _as_id(found: re.Match[str]) -> str:
    if found[1] in KINDS:
        return found[0]
    return f"/{{id}}/{found[2] or ''}"


KINDS = {
    "members", "groups", "messages", "broadcasts", "conversations", "staff", "churches", "grace",
    "export", "attempts",
}  # fmt: skip


def nullable(part: Any) -> Any:
    """Convert OpenAPI 3.0's ``nullable`` to JSON Schema."""
    if isinstance(part, list):
        return [nullable(one) for one in part]
    if not isinstance(part, dict):
        return part
    inner = {name: nullable(value) for name, value in part.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, inner]} if part.get("nullable") is True else inner


def test_a_page_requires_its_links(schema: Any) -> None:
    page = schema["components"]["schemas"]["PaginatedMemberList"]
    assert page["required"] == ["next", "previous", "results"]


def test_bodies_keep_their_required_fields(schema: Any) -> None:
    components = schema["components"]["schemas"]
    assert set(components["MemberRequest"]["required"]) == {"first_name", "phone"}
    assert components["GroupRequest"]["required"] == ["name"]
    assert components["LoginRequest"]["required"] == ["password", "username"]


def parts(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from parts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from parts(inner)


def test_each_example_is_valid_by_its_own_schema(schema: Any) -> None:
    found = [part for part in parts(schema) if "example" in part and "type" in part]
    assert len(found) > 10
    for part in found:
        rule = {name: value for name, value in part.items() if name not in ("example", "nullable")}
        Draft4Validator(rule).validate(part["example"])


def test_no_description_comes_from_a_base_class(schema: Any) -> None:
    for part in parts(schema):
        assert "serializer" not in str(part.get("description", "")).lower()
