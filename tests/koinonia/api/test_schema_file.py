"""The OpenAPI schema is generated once per release, and served as a file."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli
import pytest
import requests
import yaml
from backports import zstd
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings
from rest_framework.test import APIClient

from httpopt.compression.negotiation import Coding
from koinonia.api import schema_file
from tests.support.running_system import RunningSystem, database_environment

PATH = "/api/schema/"
DECODE = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
AT_ONCE = 12


@pytest.fixture
def generations(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Record the threads that generate, in a new release."""
    settings.SCHEMA_DIR = tmp_path / "schema"
    schema_file._coded.cache_clear()
    made: list[str] = []
    ours: Any = SchemaGenerator.get_schema

    def get_schema(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(threading.current_thread().name)
        return ours(self, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", get_schema)
    yield made
    schema_file._coded.cache_clear()


def get(client: APIClient, **headers: str) -> Any:
    return client.get(PATH, headers=headers)


def test_the_schema_is_generated_once(generations: list[str], owner: APIClient) -> None:
    answers = [get(owner), get(owner, accept="application/json"), get(owner)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(generations) == 1


def test_another_process_reads_the_file(generations: list[str], owner: APIClient) -> None:
    first = get(owner)
    schema_file._coded.cache_clear()  # as in a new process
    assert get(owner).content == first.content
    assert len(generations) == 1


def test_concurrent_threads_wait_for_one_generation(generations: list[str]) -> None:
    coding = Coding.IDENTITY
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda _: schema_file.schema("json", coding), range(AT_ONCE)))
    assert len(generations) == 1
    assert len({one.body for one in found}) == 1


def test_another_release_generates_its_own_schema(
    generations: list[str], owner: APIClient, settings: Settings
) -> None:
    first = get(owner)
    settings.HTTPOPT = {**settings.HTTPOPT, "RELEASE": "another"}
    again = get(owner)
    assert len(generations) == 2
    assert again.content == first.content


def test_the_schema_is_served_without_a_writable_directory(
    generations: list[str], owner: APIClient, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no directory")
    settings.SCHEMA_DIR = tmp_path / "file"
    assert get(owner).status_code == 200


def test_half_a_file_is_never_read(
    generations: list[str], owner: APIClient, tmp_path: Path
) -> None:
    get(owner)
    assert {path.suffix for path in (tmp_path / "schema").iterdir()} == {".yaml", ".json", ""}


@pytest.mark.parametrize("coding", DECODE)
def test_the_schema_is_compressed_and_304_when_unchanged(owner: APIClient, coding: str) -> None:
    headers = {"accept": "application/json", "accept-encoding": coding}
    first = get(owner, **headers)
    assert first.get("Content-Encoding", "identity") == coding
    assert "/api/v1/me/" in json.loads(DECODE[coding](first.content))["paths"]
    assert {"Accept", "Accept-Encoding", "Cookie"} <= set(first["Vary"].split(", "))
    again = get(owner, **headers, **{"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert "Content-Encoding" not in again
    other = get(owner, **{**headers, "accept": "application/yaml"})
    assert other["ETag"] != first["ETag"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("application/yaml", "application/yaml; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
    ],
)
def test_yaml_and_json_have_the_same_content(owner: APIClient, accept: str, kind: str) -> None:
    answer = get(owner, accept=accept)
    assert answer["Content-Type"] == kind
    assert yaml.safe_load(answer.content)["info"]["title"] == "Koinonia"


def test_an_anonymous_client_gets_the_schema_and_its_page(db: None) -> None:
    assert APIClient().get(PATH).status_code == 200
    page = APIClient().get("/api/docs/")
    assert (page.status_code, "/login/?next=/api/docs/" in page.content.decode()) == (200, True)


def test_first_calls_at_once_all_succeed(tmp_path: Path) -> None:
    with RunningSystem(
        tmp_path / "var", THROTTLING_ENABLED="0", **database_environment()
    ) as system:
        headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}

        def ask(_: int) -> requests.Response:
            return requests.get(f"{system.url}{PATH}", headers=headers, timeout=60)

        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(ask, range(20)))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert len({answer.headers["ETag"] for answer in answers}) == 1
        docs = requests.get(f"{system.url}/api/docs/", headers=headers, timeout=60)
        assert (docs.status_code, "swagger-ui" in docs.text) == (200, True)
