"""Schemathesis sends requests to a live system, both valid and invalid by the OpenAPI schema."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck
from hypothesis import settings as law
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from delivery.providers.telnyx.simulator.numbers import NUMBER_OF
from tests.httpopt.http_lint import lint
from tests.support.running_system import RunningSystem, database_environment

CHURCH = "/api/v1/churches/{church}/"
KINDS = (
    "members", "groups", "messages", "broadcasts", "conversations", "dead-letters", "staff",
    "series", "templates", "keywords", "notes", "media", "webhooks",
)  # fmt: skip
SAME_ON_A_304 = ("ETag", "Cache-Control", "Expires", "Vary", "Content-Location")
NOT_ON_A_304 = (
    "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range",
    "Last-Modified",
)  # fmt: skip
_TRIES = 20

# pytest-django has set up Django; the live system serves the same schema.
documented: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call] # drf-spectacular's
    request=None, public=True
)
schema = schemathesis.openapi.from_dict(documented)
schema.config.generation.update(modes=list(GenerationMode), deterministic=True, database="none")
READS = [
    path for path, verbs in documented["paths"].items()
    if "get" in verbs and not path.endswith("/events/")
]  # fmt: skip


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    directory, database = tmp_path_factory.mktemp("up"), database_environment()
    with RunningSystem(directory, THROTTLING_ENABLED="0", **database) as running:
        yield running


@pytest.fixture(scope="module")
def owner(system: RunningSystem) -> Iterator[requests.Session]:
    with requests.Session() as session:
        token = system.token("grace-owner")
        session.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"})
        yield session


@pytest.fixture(scope="module")
def ids(system: RunningSystem, owner: requests.Session) -> dict[str, list[str]]:
    """Return the ids of each kind of row in the church, except the owner's membership."""
    church = f"{system.url}/api/v1/churches/grace/"
    refused = {"to": NUMBER_OF["40310"], "text": "Nobody has this number"}
    owner.post(f"{church}messages/", json=refused).raise_for_status()
    everyone = {"text": "Hello", "audience": {"all": True}}
    owner.post(f"{church}broadcasts/", json=everyone).raise_for_status()
    weekly = {**everyone, "send_at": _in_a_week(), "repeat": {"every": "week"}}
    owner.post(f"{church}series/", json=weekly).raise_for_status()
    make_small_rows(church, owner)
    return {kind: ids_of(f"{church}{kind}/", owner) for kind in KINDS}


def make_small_rows(church: str, owner: requests.Session) -> None:
    """Make a template, a keyword, a note and an upload."""
    group = ids_of(f"{church}groups/", owner)[0]
    conversation = ids_of(f"{church}conversations/", owner)[0]
    rows = {
        "templates": {"name": "Sunday", "text": "Come on Sunday"},
        "keywords": {"word": "PICNIC", "group": group},
        "notes": {"conversation": conversation, "text": "Sings in the choir"},
        "webhooks": {"name": "Website", "url": "http://127.0.0.1:9/", "types": ["note.deleted"]},
    }
    for kind, row in rows.items():
        owner.post(f"{church}{kind}/", json=row).raise_for_status()
    picture = {"file": ("choir.gif", b"GIF89a" + bytes(20), "image/gif")}
    owner.post(f"{church}media/", files=picture).raise_for_status()


def _in_a_week() -> str:
    return (datetime.now(UTC) + timedelta(days=7)).isoformat()


def ids_of(url: str, owner: requests.Session) -> list[str]:
    """Wait for rows and return their ids: a message is dead only after the carrier refuses it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page = owner.get(url).json()["results"]
        if found := [item["id"] for item in page if item.get("role") != "owner"]:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{url} stays empty.")


@pytest.mark.parametrize("path", READS)
def test_a_second_get_is_a_304(
    path: str, system: RunningSystem, owner: requests.Session, ids: dict[str, list[str]]
) -> None:
    kind = path.removeprefix(CHURCH).partition("/")[0]
    url = system.url + path.format(church="grace", id=ids.get(kind, [""])[0])
    headers = {name: str(value) for name, value in owner.headers.items()}
    check_a_second_read(url, headers)


@schema.exclude(path_regex="/auth/").parametrize()
@law(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_schema(
    case: Case[Any], system: RunningSystem, owner: requests.Session, ids: dict[str, list[str]]
) -> None:
    aim(case, ids)
    answer = case.call(base_url=system.url, session=owner)
    if not is_from_twisted(answer):
        case.validate_response(answer, checks=CHECKS)


def aim(case: Case[Any], ids: dict[str, list[str]]) -> None:
    """Aim two of three cases at an existing row, and never let a case wait for an event."""
    number = zlib.crc32(repr((case.path_parameters, case.query, case.headers, case.body)).encode())
    if "church" in case.path_parameters:
        case.path_parameters["church"] = "grace"
    there = ids.get(case.path.removeprefix(CHURCH).partition("/")[0])
    if "id" in case.path_parameters and there and number % 3:
        case.path_parameters["id"] = there[number % len(there)]
    if case.query and "wait" in case.query:
        case.query["wait"] = 0
    if case.query and isinstance(fields := case.query.get("fields"), str):
        # Twisted closes a connection without an answer after a line of 16 KiB.
        case.query["fields"] = fields[:500]


def is_from_twisted(answer: Response) -> bool:
    """Return True if Twisted refused the form before it reached the application."""
    asked = answer.request.headers.get("Content-Type", "")
    told = (answer.status_code, answer.content, answer.headers)
    return asked.startswith("multipart/form-data") and told == (400, b"", {})


def errors_are_problems(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.headers["cache-control"] == ["no-store"]
        assert response.json()["status"] == response.status_code


def reads_are_confirmed(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    if response.status_code == 200 and case.method == "GET" and "etag" in response.headers:
        check_a_second_read(str(response.request.url), dict(response.request.headers))


def httplint_finds_nothing(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    # The client has decoded the body.
    fields = [
        (name, value)
        for name, values in response.headers.items()
        for value in values
        if name not in ("content-encoding", "content-length")
    ]
    found = lint(case.method, response.status_code, fields, response.content)
    # The contract has one on a 202, where RFC 9110 leaves its meaning open.
    assert [note for note in found if not note.startswith("LOCATION_UNDEFINED")] == []


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    errors_are_problems,
    reads_are_confirmed,
    httplint_finds_nothing,
]


def check_a_second_read(url: str, headers: dict[str, str]) -> None:
    """Check that a 304 has the fields of its 200, and that other codings have other tags."""
    first, second = two_reads(url, headers)
    assert second.status_code == 304
    for name in SAME_ON_A_304:
        assert second.headers.get(name) == first.headers.get(name), name
    assert [name for name in NOT_ON_A_304 if name in second.headers] == []
    assert lint("GET", 304, second.headers.items(), second.content) == []
    if first.headers["ETag"].startswith("W/"):
        return  # A weak tag is shared by all codings.
    other = {**headers, "Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]}
    coded = requests.get(url, headers=other, timeout=30)
    assert (coded.status_code, coded.headers["ETag"] != first.headers["ETag"]) == (200, True)


def two_reads(url: str, headers: dict[str, str]) -> tuple[requests.Response, requests.Response]:
    """Send a GET and a conditional GET; repeat both if a worker wrote in between."""
    for _ in range(_TRIES):
        first = requests.get(url, headers=headers, timeout=30)
        known = {**headers, "If-None-Match": first.headers["ETag"]}
        second = requests.get(url, headers=known, timeout=30)
        assert second.status_code in (200, 304)
        if second.status_code == 304 or second.headers["ETag"] == first.headers["ETag"]:
            return first, second
    raise AssertionError(f"{url} changes all the time.")
