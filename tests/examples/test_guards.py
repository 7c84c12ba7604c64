"""Each operation answers a race, an outage and a missing condition with the documented error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django.fixtures import Settings

from tests.examples.guards import (
    ThisProcess,
    another_request_wins,
    no_database,
    session,
)
from tests.examples.test_examples import faults
from tests.examples.walk import Exchange, Walk, has

pytestmark = pytest.mark.any_database


@pytest.fixture
def walk(
    swift: None, settings: Settings, grace_owner: User, grace_viewer: User, hope_owner: User
) -> Walk:
    settings.HTTPOPT = {**settings.HTTPOPT, "REQUIRE_IF_MATCH": True}
    settings.WEBHOOKS_TO_LOOPBACK = True
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # drf-spectacular's
    client = Client(raise_request_exception=False)
    return Walk(ThisProcess(), session(client), json.loads(json.dumps(schema)))


def documented(walk: Walk, code: str) -> Iterator[tuple[str, str, Any]]:
    for one in walk.operations():
        if code in one[2]["responses"] and (code, one[0]) != ("409", "get"):
            yield one


def wrong(walk: Walk, code: str, ask: Callable[..., Exchange]) -> list[str]:
    """Return the operations that do not answer with ``code``, or not as documented."""
    found = []
    for one in documented(walk, code):
        answer = ask(*one)
        if answer.status != code or answer.documented is None:
            found.append(f"{answer.operation}: {answer.status} {answer.body}")
        else:
            content = answer.documented["content"][answer.media_type]
            found += [
                f"{answer.operation}: {why}" for why in faults(walk.schema, content, answer.body)
            ]
    return found


def test_each_write_that_loses_a_race_is_a_conflict(walk: Walk) -> None:
    bodies = {"change_group_members": {"remove": [walk.ids["member"]]}}
    for one in walk.operations():
        if one[2]["operationId"] in {"create_invitation", "create_token"}:
            walk.note(walk.ask(*one))

    def ask(verb: str, path: str, operation: Any) -> Exchange:
        condition = {"If-Match": "*"} if has(operation, "If-Match") else {}
        body = bodies.get(operation["operationId"])
        with another_request_wins():
            return walk.ask(verb, path, operation, body=body, headers=condition)

    found = wrong(walk, "409", ask)
    assert found == [], "\n".join(found)


def test_each_operation_without_a_database_is_unavailable(walk: Walk) -> None:
    assert set(walk.tokens)

    def ask_all() -> list[str]:
        with no_database():
            return wrong(walk, "503", walk.ask)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ask_all).result() == []


def test_each_change_without_a_condition_is_refused_where_the_setting_asks_for_one(
    walk: Walk,
) -> None:
    assert wrong(walk, "428", walk.ask) == []


def test_each_change_by_a_session_without_a_csrf_token_is_forbidden(
    walk: Walk, grace_owner: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(grace_owner)
    walk.http = session(client)
    changes = [one for one in walk.operations() if one[0] != "get"]
    found = {
        one[2]["operationId"]: answer.status
        for one in changes
        if (answer := walk.ask(*one, user=None)).documented is None or answer.status != "403"
    }
    assert found.keys() == {"log_in"}
