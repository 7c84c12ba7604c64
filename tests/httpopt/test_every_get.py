"""The rules of the contract for GETs, tested with every GET of the API's data."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from koinonia.models import Church
from tests.httpopt.church_data import paths

OWN_TAG = re.compile(r'"[0-9a-z.]+-[\w-]{12}\.[igbz]"')
POSITION = re.compile(r"church:grace;[0-9a-f]+;\d+")
Churches = list[tuple[User, Church]]


@pytest.fixture
def client(two_churches: Churches) -> Client:
    user, _ = two_churches[0]
    token = AuthToken.objects.create(user=user)[1]
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def reads(two_churches: Churches) -> list[str]:
    return paths(two_churches[0][1])


def test_each_answer_has_a_strong_tag_per_coding_and_is_revalidated(
    client: Client, reads: list[str]
) -> None:
    for path in reads:
        tags = set()
        for coding in ("identity", "gzip", "br", "zstd"):
            answer = client.get(path, headers={"Accept-Encoding": coding})
            assert OWN_TAG.fullmatch(answer["ETag"]), path
            assert answer["Cache-Control"] == "private, no-cache", path
            vary = {name.strip() for name in answer["Vary"].split(",")}
            assert vary == {"Accept-Encoding", "Cookie", "Accept"}, path
            tags.add(answer["ETag"])
        assert len(tags) == 4, path


def test_a_304_is_decided_before_any_query_of_the_view(client: Client, reads: list[str]) -> None:
    """Count the queries: the token, the membership in a church, and the versions."""
    for path in reads:
        tag = client.get(path)["ETag"]
        with CaptureQueriesContext(connection) as asked:
            again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b""), path
        assert len(asked) == (3 if "/churches/grace/" in path else 2), (
            path,
            asked.captured_queries,
        )
        assert "httpopt_counter" in asked.captured_queries[-1]["sql"], path


def test_each_answer_below_a_church_has_a_position_that_is_read_before_the_data(
    client: Client, reads: list[str]
) -> None:
    for path in [*reads, "/api/v1/churches/grace/delivery/"]:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(path)
        told = answer.get("Stream-Position", "")
        assert bool(POSITION.fullmatch(told)) == ("/churches/grace/" in path), (path, told)
        if told:
            before = asked.captured_queries[: 2 if path.endswith("/delivery/") else 3]
            read = asked.captured_queries[len(before)]["sql"]
            assert "realtime_stream" in read, path
            tables = ("knox_authtoken", "koinonia_staff", "httpopt_counter")
            assert all(
                table in query["sql"] for table, query in zip(tables, before, strict=False)
            ), path


def test_no_unknown_parameter_is_echoed(client: Client, reads: list[str]) -> None:
    """Prevent BREACH: an attacker must not put a guess beside a secret in the body."""
    for path in reads:
        body = client.get(f"{path}?page_size=1&guess=%2B13125550")
        assert body.status_code == 200, path
        assert b"guess" not in body.content, path


def test_an_audit_finds_no_stale_304(
    client: Client, reads: list[str], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.HTTPOPT = {**settings.HTTPOPT, "AUDIT": 1.0}
    cache.clear()
    with caplog.at_level(logging.ERROR, "httpopt.audit"):
        for path in reads:
            tag = client.get(path)["ETag"]
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 304, path
    assert caplog.records == []


def test_each_answer_is_the_same_when_switched_off(
    client: Client, reads: list[str], settings: Any
) -> None:
    on = {path: client.get(path) for path in reads}
    settings.HTTPOPT = {**settings.HTTPOPT, "ENABLED": False}
    for path in reads:
        headers = {"Accept-Encoding": "gzip", "If-None-Match": on[path]["ETag"]}
        off = client.get(f"{path}?fields=nothing", headers=headers)
        assert (off.status_code, off.content) == (200, on[path].content), path
        assert not off.has_header("Content-Encoding"), path


def test_reports_and_pages_are_tagged_by_content(client: Client, reads: list[str]) -> None:
    report = client.get("/api/v1/churches/grace/delivery/")
    page = client.get(reads[0], headers={"Accept": "text/html"})
    assert page["Content-Type"].startswith("text/html")
    for answer in (report, page):
        assert re.fullmatch(r'"[0-9a-f]{24}-c\.i"', answer["ETag"])
        assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("fields", ["id,status,member.name", "id,status,member(name)"])
def test_only_the_columns_of_the_fields_are_read(client: Client, fields: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = client.get(f"/api/v1/churches/grace/messages/?fields={fields}")
    assert page.json()["results"][0].keys() == {"id", "status", "member"}
    [read] = [
        query["sql"] for query in asked.captured_queries if "delivery_message" in query["sql"]
    ]
    selected = re.findall(r'"(\w+)"\."(\w+)"', read.partition(" FROM ")[0])
    assert {f"{table}.{column}" for table, column in selected} == {
        "delivery_message.id", "delivery_message.status", "delivery_message.recipient_id",
        "delivery_message.created_at",  # the place of a page
        "koinonia_member.first_name", "koinonia_member.last_name",
    }  # fmt: skip
