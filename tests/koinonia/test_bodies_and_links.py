"""Request bodies and links through daphne, in the configuration of ``up``."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.running_system import RunningSystem, database_environment

API = "/api/v1/churches/grace/"
PROBLEM = "application/problem+json"
PREFIXES = {
    "Daphne-Root-Path": "/evil",
    "Script-Name": "/evil",
    "X-Script-Name": "/evil",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Path": "/evil",
    "X-Original-URL": "/evil",
    "X-Rewrite-URL": "/evil",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X_Forwarded_Proto": "https",
    "SCRIPT_NAME": "/evil",
    "Forwarded": "host=evil.example;proto=https",
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    data_dir: Path = tmp_path_factory.mktemp("bodies") / "var"
    # The client is outside the trusted proxies.
    environment = {"TRUSTED_PROXIES": "10.0.0.0/8", "THROTTLING_ENABLED": "0"}
    with RunningSystem(data_dir, **environment, **database_environment()) as running:
        yield running


@pytest.fixture
def bearer(system: RunningSystem) -> dict[str, str]:
    return {"Authorization": f"Bearer {system.token('grace-sender')}"}


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_a_form_body_logs_in(system: RunningSystem, page: str) -> None:
    with requests.Session() as browser:
        first = browser.get(f"{system.url}{page}", timeout=60)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', first.text)
        assert found
        form = {"csrfmiddlewaretoken": found[1], "username": "admin", "password": system.password}
        answer = browser.post(f"{system.url}{page}", form, allow_redirects=False, timeout=60)
        assert answer.status_code == 302
        assert "sessionid" in browser.cookies
        assert browser.get(f"{system.url}/admin/", timeout=60).status_code == 200


def test_a_multipart_file_is_imported(system: RunningSystem, bearer: dict[str, str]) -> None:
    file = b"first_name,last_name,phone,groups\nMultipart,Lee,+13125550188,\n"
    url = f"{system.url}{API}members/import/"
    answer = requests.post(url, files={"file": ("a.csv", file)}, headers=bearer, timeout=60)
    assert (answer.status_code, answer.json()["errors"]) == (200, [])


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 100,
        "multipart/form-data; boundary=\u00e9",
        "multipart/form-data; boundary=x; charset=no-such",
    ],
)
@pytest.mark.parametrize("body", [b"no parts", b"--x\r\nContent-Disposition: form-data", b""])
def test_an_unreadable_multipart_body_is_answered_with_a_problem(
    system: RunningSystem, bearer: dict[str, str], content_type: str, body: bytes
) -> None:
    headers: dict[str, str | bytes | None] = {
        **bearer,
        "Content-Type": content_type.encode("latin-1"),
    }
    url = f"{system.url}{API}members/import/"
    answer = requests.post(url, body, headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROBLEM)


def test_a_chunked_body_is_read(system: RunningSystem, bearer: dict[str, str]) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"name": "Ch'
        yield b'unked choir"}'

    headers = {**bearer, "Content-Type": "application/json"}
    url = f"{system.url}{API}groups/"
    answer = requests.post(url, chunks(), headers=headers, timeout=60)
    assert (answer.status_code, answer.json().get("name")) == (201, "Chunked choir")


def ask(system: RunningSystem, method: str, path: str, body: Any, **headers: str) -> Any:
    """Send one request with unchanged header names."""
    connection = http.client.HTTPConnection(system.url.removeprefix("http://"), timeout=60)
    try:
        content = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("header", PREFIXES)
def test_a_client_cannot_change_the_links_of_an_answer(
    system: RunningSystem, bearer: dict[str, str], header: str
) -> None:
    told = {header: PREFIXES[header], "Content-Type": "application/json", **bearer}
    _, listed = ask(system, "GET", f"{API}messages/?page_size=1", None, **told)
    text = {"to": "+13125550166", "text": "Where is this?"}
    sent, _ = ask(system, "POST", f"{API}messages/", text, **told)
    _, ticket = ask(system, "POST", "/api/v1/realtime/ticket/", {}, **told)
    away, _ = ask(system, "GET", "/", None, **{header: PREFIXES[header]})
    login, page = ask(system, "GET", "/login/", None, **{header: PREFIXES[header]})
    links = [
        json.loads(listed)["next"] or "",
        sent.headers["Location"],
        json.loads(ticket)["url"],
        away.headers["Location"],
        login.headers["Set-Cookie"],
        page,
        listed,
    ]
    assert [link for link in links if "evil" in link or "https:" in link or "wss:" in link] == []
    assert links[1].startswith(f"{system.url}{API}messages/")
    assert "Path=/;" in links[4] or links[4].endswith("Path=/")
