"""A real nginx with the site file of the project, or with another one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.waiting import wait_until

SITE = (Path(__file__).parent.parent.parent / "deploy" / "nginx.conf").read_text()
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
_MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""


def site(webs: Sequence[int], plain: int, secure: int, certificate: Path) -> str:
    """Return the file of the project with these ports in its marked lines."""
    servers = [f"server 127.0.0.1:{web} max_fails=3 fail_timeout=5s;" for web in webs]
    told = SITE
    for marked, value in (
        ("server 127.0.0.1:8001 max_fails=3 fail_timeout=5s;", "\n".join(servers)),
        ("server 127.0.0.1:8002 max_fails=3 fail_timeout=5s;", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
        ("https://texts.example.org$request_uri", f"https://127.0.0.1:{secure}$request_uri"),
        ("server_name texts.example.org;", "server_name 127.0.0.1;"),
        ("/etc/ssl/koinonia/fullchain.pem", str(certificate)),
        ("/etc/ssl/koinonia/privkey.pem", str(certificate)),
    ):
        for line in (line for line in told.splitlines() if marked in line):
            assert "<-" in line, f"The file does not mark {line!r}."
        assert marked in told
        told = told.replace(marked, value)
    return told


class Nginx:
    """``with Nginx(directory, site, port):`` until it listens on ``port``."""

    def __init__(self, directory: Path, site: str, port: int) -> None:
        directory.mkdir()
        self._directory = directory
        self._port = port
        user = "user root;" if os.geteuid() == 0 else ""
        (directory / "nginx.conf").write_text(_MAIN.format(directory=directory, user=user))
        (directory / "site.conf").write_text(site)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [str(PROGRAM), "-p", str(self._directory), "-c", str(self._directory / "nginx.conf")]
        )
        wait_until(self._listens)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)

    @property
    def accesses(self) -> str:
        """Return the access log. Packaged nginx writes one unless the site turns it off."""
        return (self._directory / "access.log").read_text()

    @property
    def errors(self) -> str:
        return (self._directory / "error.log").read_text()

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.errors
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
