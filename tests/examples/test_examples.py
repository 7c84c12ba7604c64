"""A running system accepts the example of each request, and answers as the examples show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from koinonia.api.examples.requests import REQUESTS
from koinonia.api.operations import OPERATIONS, TAGS
from tests.examples.guards import guarded
from tests.examples.walk import CONFLICTS, ENVIRONMENT, ONCE, Exchange, Walk, has
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with RunningSystem(tmp_path_factory.mktemp("up") / "data", **ENVIRONMENT) as system:
        yield Walk(system)


@pytest.fixture(scope="module")
def exchanges(walk: Walk) -> list[Exchange]:
    return list(walk.exchanges())


def operations(schema: Any) -> Iterator[Any]:
    for verbs in schema["paths"].values():
        yield from verbs.values()


def contents(schema: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the place, the schema and the example of each body that the document describes."""
    for operation in operations(schema):
        bodies = [("request", operation.get("requestBody", {})), *operation["responses"].items()]
        for code, body in bodies:
            for media_type, content in body.get("content", {}).items():
                yield f"{operation['operationId']} {code} {media_type}", content, code


def examples_of(schema: Any, content: Any) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    shared = schema["components"]["examples"]
    return [
        one["value"] if "value" in one else shared[one["$ref"].rpartition("/")[2]]["value"]
        for one in content.get("examples", {}).values()
    ]


def faults(schema: Any, content: Any, value: Any) -> list[str]:
    rule = json.dumps({**content["schema"], "components": schema["components"]})
    return [str(error) for error in validator(rule).iter_errors(value)]


@cache
def validator(rule: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(rule))


def test_every_body_and_answer_has_an_example(walk: Walk) -> None:
    lacking = [
        place
        for place, content, _ in contents(walk.schema)
        if not examples_of(walk.schema, content) and "multipart" not in place
    ]
    assert lacking == [], "Add a body to koinonia/api/examples/requests.py, then run make examples."


def test_every_example_is_valid_by_its_schema(walk: Walk) -> None:
    bad = {
        place: found
        for place, content, _ in contents(walk.schema)
        if "multipart" not in place
        for example in examples_of(walk.schema, content)
        if (found := faults(walk.schema, content, example))
    }
    assert bad == {}


def test_every_operation_of_the_schema_answers_as_documented(
    walk: Walk, exchanges: list[Exchange]
) -> None:
    bad = []
    for one in exchanges:
        content = (one.documented or {}).get("content", {}).get(one.media_type)
        if one.documented is None or (one.body and content is None):
            bad.append(f"{one.operation} {one.status}: not documented: {one.body}")
        elif content is not None:
            bad += [f"{one.operation} {one.status}: {why}" for why in faults(walk.schema, content, one.body)]  # fmt: skip
    assert bad == []


def test_every_documented_answer_is_given(walk: Walk, exchanges: list[Exchange]) -> None:
    seen = {(one.operation, one.status) for one in exchanges}
    documented = {
        (operation["operationId"], code)
        for operation in operations(walk.schema)
        for code in operation["responses"]
    }
    assert documented - seen - set(guarded(walk.schema)) == set()


def test_every_conflict_of_a_state_and_of_a_key_is_given(
    walk: Walk, exchanges: list[Exchange]
) -> None:
    """Leave the third conflict, the one of two requests at once, to the test of the guards."""
    conflicts = [one for one in exchanges if one.status == "409"]
    of_a_key = {one.operation for one in conflicts if "Idempotency-Key" in one.body["detail"]}
    assert of_a_key == {
        one["operationId"] for one in operations(walk.schema) if has(one, "Idempotency-Key")
    }
    of_a_state = {one.operation for one in conflicts if "Idempotency-Key" not in one.body["detail"]}
    assert of_a_state == {*CONFLICTS, *ONCE, "merge_member"}


def test_every_example_has_the_fields_of_the_answer(walk: Walk, exchanges: list[Exchange]) -> None:
    bad = []
    for one in exchanges:
        content = (one.documented or {}).get("content", {}).get(one.media_type, {})
        shown = next(iter(examples_of(walk.schema, content)), None)
        if isinstance(one.body, dict) and isinstance(shown, dict):
            lacking = {
                name for name in one.body.keys() ^ shown.keys() if name not in {"errors", "code"}
            }
            bad += [f"{one.operation} {one.status}: {sorted(lacking)}"] if lacking else []
    assert bad == [], "Run make examples."


def test_every_operation_is_named(walk: Walk) -> None:
    """Require a row in ``koinonia/api/operations.py`` for each route."""
    named = {one.id: one.summary for verbs in OPERATIONS.values() for one in verbs.values()}
    found = {one["operationId"]: one["summary"] for one in operations(walk.schema)}
    assert found == named
    assert set(REQUESTS) <= set(named)
    used = {tag for one in operations(walk.schema) for tag in one["tags"]}
    assert used <= set(TAGS)
    assert [tag["name"] for tag in walk.schema["tags"]] == [tag for tag in TAGS if tag in used]
