"""Conditional requests through a real nginx that compresses and caches. Skipped without nginx."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.running_system import RunningSystem, database_environment, free_port
from tests.support.waiting import wait_until

NGINX = shutil.which("nginx")
GROUPS = "/api/v1/churches/grace/groups/"
CONFIGURATION = """
{user}daemon off; pid {dir}/pid; error_log {dir}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
  uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  gzip on; gzip_types application/json; gzip_min_length 20; gzip_proxied any;
  proxy_cache_path {dir}/cache keys_zone=kept:1m;
  proxy_set_header Host $http_host;
  server {{
    listen 127.0.0.1:{compressing};
    location / {{ proxy_pass {upstream}; }}
  }}
  server {{
    listen 127.0.0.1:{caching};
    location / {{ proxy_pass {upstream}; proxy_cache kept; }}
  }}
  server {{
    listen 127.0.0.1:{mended};
    location / {{
      proxy_pass {upstream}; proxy_cache kept;
      proxy_set_header Host $http_host;
      proxy_set_header If-None-Match $http_if_none_match;
    }}
  }}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="There is no nginx on PATH.")


class Proxies:
    """The URLs of three servers of one nginx, named by their configuration."""

    def __init__(self, system: RunningSystem) -> None:
        self.ports = {name: free_port() for name in ("compressing", "caching", "mended")}
        self.headers = {
            "Authorization": f"Bearer {system.token('grace-owner')}",
            "Accept-Encoding": "gzip",
        }

    def ask(self, proxy: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return requests.request(
            method,
            f"http://127.0.0.1:{self.ports[proxy]}{path}",
            json=body,
            headers={**self.headers, **headers},
            timeout=60,
        )


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxies]:
    assert NGINX
    home: Path = tmp_path_factory.mktemp("nginx")
    environment = {"ALLOWED_HOSTS": "127.0.0.1", "THROTTLING_ENABLED": "0"}
    with RunningSystem(home / "var", **environment, **database_environment()) as system:
        proxies = Proxies(system)
        configuration = home / "nginx.conf"
        # Otherwise the workers of nginx drop root's rights and cannot read this directory.
        user = "user root; " if os.geteuid() == 0 else ""
        text = CONFIGURATION.format(user=user, dir=home, upstream=system.url, **proxies.ports)
        configuration.write_text(text)
        command = [NGINX, "-p", str(home), "-e", str(home / "error.log"), "-c", str(configuration)]
        with subprocess.Popen(command) as nginx:
            wait_until(lambda: _answers(proxies))
            yield proxies
            nginx.terminate()


def _answers(proxies: Proxies) -> bool:
    try:
        return bool(proxies.ask("compressing", "GET", "/healthz").status_code == 200)
    except requests.ConnectionError:
        return False


@pytest.fixture
def group(proxies: Proxies) -> str:
    """Return the path of a group, an item so small that only nginx compresses it."""
    made = proxies.ask("compressing", "POST", GROUPS, {"name": f"Choir {uuid.uuid4()}"})
    assert made.ok, made.text
    return f"{GROUPS}{made.json()['id']}/"


def test_a_tag_that_nginx_weakened_matches_once(proxies: Proxies, group: str) -> None:
    seen = proxies.ask("compressing", "GET", group)
    assert seen.headers["Content-Encoding"] == "gzip"
    tag = seen.headers["ETag"]
    assert tag.startswith("W/")
    name = f"Band {uuid.uuid4()}"
    first = proxies.ask("compressing", "PATCH", group, {"name": name}, **{"If-Match": tag})
    again = proxies.ask("compressing", "PATCH", group, {"name": "Brass"}, **{"If-Match": tag})
    assert (first.status_code, again.status_code) == (200, 412)
    gone = proxies.ask("compressing", "DELETE", group, **{"If-Match": first.headers["ETag"]})
    assert gone.status_code == 204


@pytest.mark.parametrize("proxy", ["compressing", "mended"])
@pytest.mark.parametrize("kind", ["item", "list", "events"])
def test_an_unchanged_answer_is_304(proxies: Proxies, group: str, proxy: str, kind: str) -> None:
    events = "/api/v1/churches/grace/events/"
    path = {"item": group, "list": GROUPS, "events": events}[kind]
    tag = proxies.ask(proxy, "GET", path).headers["ETag"]
    again = proxies.ask(proxy, "GET", path, **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_cache_of_nginx_drops_the_condition_unless_configured(
    proxies: Proxies, group: str
) -> None:
    """Confirm the warning of docs/apps/httpopt.md. If this fails, the warning can be removed."""
    answers = []
    for proxy in ("caching", "mended"):
        tag = proxies.ask(proxy, "GET", group).headers["ETag"]
        answers.append(proxies.ask(proxy, "GET", group, **{"If-None-Match": tag}).status_code)
    assert answers == [200, 304]
