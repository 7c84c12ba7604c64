"""The whole system behind a real nginx with ``deploy/nginx.conf``."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from websockets.sync.client import connect

from tests.support import nginx
from tests.support.certificates import self_signed
from tests.support.nginx import Nginx, site
from tests.support.running_system import (
    PASSWORD,
    ROOT,
    RunningSystem,
    database_environment,
    free_port,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(nginx.PROGRAM is None, reason="There is no nginx on this machine.")

NAIVE = """
upstream koinonia {{ server 127.0.0.1:{web}; }}
server {{
    listen {port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    location / {{ proxy_pass http://koinonia; {lines} }}
}}
"""
HOST = "proxy_set_header Host $http_host;"
PROTO = "proxy_set_header X-Forwarded-Proto $scheme;"


class Site:
    """The system behind nginx; ``get`` and ``post`` send requests from outside."""

    def __init__(self, directory: Path) -> None:
        self.plain, self.secure = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.secure}"
        self.certificate = self_signed(directory / "site.pem")
        self.system = RunningSystem(
            directory / "up",
            PUBLIC_URL=self.url,
            TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8",
            SSL_CERT_FILE=str(self.certificate),
            REQUESTS_CA_BUNDLE=str(self.certificate),
            **database_environment(),
        )
        self.web = int(self.system.url.rpartition(":")[2])
        self.file = site([self.web], self.plain, self.secure, self.certificate)
        self.nginx = Nginx(directory / "nginx", self.file, self.secure)

    def token(self) -> dict[str, str]:
        given = {"username": "grace-owner", "password": PASSWORD}
        answer = self.ask("POST", "/api/v1/auth/login/", json=given)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def ask(
        self, method: str, path: str, *, session: requests.Session | None = None, **options: Any
    ) -> requests.Response:
        options = {"timeout": 40, "allow_redirects": False, **options}
        asking = session.request if session is not None else requests.request
        return asking(method, self.url + path, verify=str(self.certificate), **options)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    with running.nginx, running.system:
        yield running


@pytest.fixture(scope="module")
def grace(outside: Site) -> dict[str, str]:
    """Sign in through nginx as an owner of Grace church, and return the credential."""
    return outside.token()


def test_a_user_signs_in_on_the_page(outside: Site) -> None:
    with requests.Session() as browser:
        page = outside.ask("GET", "/login/", session=browser)
        assert page.status_code == 200
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert found is not None
        form = {
            "username": "grace-sender", "password": PASSWORD, "csrfmiddlewaretoken": found[1],
        }  # fmt: skip
        origin = {"Origin": outside.url, "Referer": f"{outside.url}/login/"}
        answer = outside.ask("POST", "/login/", session=browser, data=form, headers=origin)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert all(cookie.secure for cookie in browser.cookies)
        page = outside.ask("GET", "/", session=browser, allow_redirects=True)
        assert page.status_code == 200


def test_a_text_is_delivered_and_its_events_reach_the_socket(
    outside: Site, grace: dict[str, str]
) -> None:
    ticket = outside.ask("POST", "/api/v1/realtime/ticket/", headers=grace).json()
    assert ticket["url"].startswith("wss://")
    context = ssl.create_default_context(cafile=str(outside.certificate))
    protocols: Any = ["koinonia.v1", f"ticket.{ticket['ticket']}"]
    with connect(ticket["url"], subprotocols=protocols, ssl=context) as live:
        live.send(json.dumps({"type": "subscribe", "stream": "church:grace"}))
        body = {"to": "+13125550123", "text": "Through nginx"}
        answer = outside.ask("POST", "/api/v1/churches/grace/messages/", headers=grace, json=body)
        assert answer.status_code == 202, answer.text
        seen: list[str] = []
        while "delivered" not in seen:
            frame = json.loads(live.recv(timeout=60))
            seen += [event["data"].get("status", "") for event in frame.get("events", [])]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_webhook_is_never_redirected(outside: Site, scheme: str) -> None:
    port = outside.secure if scheme == "https" else outside.plain
    answer = requests.post(
        f"{scheme}://127.0.0.1:{port}/webhooks/telnyx/",
        data=b"{}", verify=str(outside.certificate), allow_redirects=False, timeout=20,
    )  # fmt: skip
    assert answer.status_code == 400  # The signature is missing.


def test_a_page_on_the_plain_port_is_redirected_to_tls(outside: Site) -> None:
    address = f"http://127.0.0.1:{outside.plain}/login/?next=/"
    answer = requests.get(address, allow_redirects=False, timeout=20)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{outside.url}/login/?next=/"


def test_a_repeated_read_is_a_304(outside: Site, grace: dict[str, str]) -> None:
    path = "/api/v1/churches/grace/members/"
    first = outside.ask("GET", path, headers=grace)
    assert first.headers["Content-Encoding"] in {"gzip", "br", "zstd"}
    again = outside.ask("GET", path, headers={**grace, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert first.headers["ETag"].startswith('"')


def test_a_long_poll_is_held_to_its_end(outside: Site, grace: dict[str, str]) -> None:
    head = outside.ask("GET", "/api/v1/me/events/", headers=grace).json()["to"]
    path = f"/api/v1/me/events/?wait=25&after={head}"
    answer = outside.ask("GET", path, headers=grace)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() > 20


def test_an_export_arrives_completely(outside: Site, grace: dict[str, str]) -> None:
    answer = outside.ask("GET", "/api/v1/churches/grace/dead-letters/export/", headers=grace)
    assert answer.status_code == 200
    assert answer.text.startswith("id,church,to,")


class From(HTTPAdapter):
    """An adapter that connects from a local address outside the trusted proxies."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


def left_for(outside: Site, address: str, forged: str) -> int:
    """Return the number of anonymous requests that the address has left."""
    with requests.Session() as client:
        client.mount("https://", From(address))
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forged}
        answer = outside.ask("GET", "/api/v1/me/", session=client, headers=headers)
    assert answer.status_code == 401
    return int(answer.headers["X-RateLimit-Remaining"])


def test_limits_use_the_real_address_of_the_client(outside: Site) -> None:
    counted = [left_for(outside, "127.0.0.2", f"203.0.113.{number}") for number in range(5)]
    assert counted[0] - counted[-1] >= 3
    assert left_for(outside, "127.0.0.3", "203.0.113.1") > counted[-1]


def test_nginx_refuses_a_body_above_the_limit(outside: Site, grace: dict[str, str]) -> None:
    path = "/api/v1/churches/grace/members/import/"
    headers = {**grace, "Content-Type": "text/csv"}
    answer = outside.ask("POST", path, headers=headers, data=b"x" * 7_000_000)
    assert answer.status_code == 413


def test_health_is_public_and_metrics_are_not(outside: Site) -> None:
    for path, status in (("/healthz", 200), ("/readyz?full", 200), ("/metrics", 403)):
        assert outside.ask("GET", path).status_code == status
    itself = f"http://127.0.0.1:{outside.web}/metrics"
    assert requests.get(itself, timeout=20).status_code == 200


@pytest.mark.parametrize("header", ["Host: 10.1.2.3", "Host: a_b:1", "Host: ", "X-None: 1"])
def test_the_web_process_answers_probes_by_address(outside: Site, header: str) -> None:
    answers = {
        path: raw(outside.web, f"HEAD {path} HTTP/1.1", header) for path in ("/healthz", "/readyz")
    }
    assert set(answers.values()) == {b"HTTP/1.1 200 OK"}
    assert b" 400 " in raw(outside.web, "GET /login/ HTTP/1.1", "Host: 10.1.2.3")


def raw(port: int, *lines: str) -> bytes:
    """Return the first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return connection.makefile("rb").readline().strip()


def smoke(outside: Site, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.smoke", url],
        cwd=ROOT,
        env={
            **os.environ,
            "SMOKE_USER": "grace-sender",
            "SMOKE_PASSWORD": PASSWORD,
            "SMOKE_TO": "+13125550199",
            "SSL_CERT_FILE": str(outside.certificate),
            "REQUESTS_CA_BUNDLE": str(outside.certificate),
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_smoke_test_passes(outside: Site) -> None:
    ended = smoke(outside, outside.url)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("", "proxy_set_header Host $http_host;"),
        (HOST, "proxy_set_header X-Forwarded-Proto $scheme;"),
        (f"{HOST} {PROTO}", "proxy_set_header Upgrade"),
    ],
    ids=["nothing", "no scheme", "no upgrade"],
)
def test_the_smoke_test_names_the_missing_line(
    outside: Site, tmp_path: Path, lines: str, sentence: str
) -> None:
    port = free_port()
    told = NAIVE.format(web=outside.web, port=port, certificate=outside.certificate, lines=lines)
    with Nginx(tmp_path / "naive", told, port):
        ended = smoke(outside, f"https://127.0.0.1:{port}")
    assert ended.returncode == 1
    assert sentence in ended.stdout, ended.stdout
    assert "Traceback" not in ended.stderr


def test_nginx_writes_no_number_of_a_search_into_a_log(outside: Site) -> None:
    """Search on both ports: queries hold names, numbers and the tickets of sockets."""
    for scheme, port in (("http", outside.plain), ("https", outside.secure)):
        address = f"{scheme}://127.0.0.1:{port}/login/?search=3125550187"
        requests.get(address, verify=str(outside.certificate), allow_redirects=False, timeout=20)
    assert "3125550187" not in outside.nginx.accesses + outside.nginx.errors


def test_nginx_logged_no_error(outside: Site) -> None:
    wait_until(lambda: outside.ask("GET", "/healthz").status_code == 200)
    # The first socket of the smoke test closes without a close frame, which resets it.
    met = [line for line in outside.nginx.errors.splitlines() if "upgraded connection" not in line]
    assert [line for line in met if "upstream" in line] == []
