"""A real PgBouncer in transaction pooling, between the system and the test run's PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from tests.support.running_system import free_port
from tests.support.waiting import wait_until

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
_CONFIGURATION = """\
[databases]
* = host={server} user=koinonia

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
admin_users = koinonia
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = {directory}/log
pidfile = {directory}/pid
"""


class PgBouncer:
    """A proxy for ``server``, a URL of ``tests.support.postgres``, with few ``connections``, which are shared."""

    def __init__(self, directory: Path, server: str, *, connections: int = 3) -> None:
        directory.mkdir()
        self._port = free_port()
        self._directory = directory
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                server=unquote(urlsplit(server).netloc.rpartition("@")[2]),
                port=self._port,
                directory=directory,
                connections=connections,
            )
        )
        as_root = os.geteuid() == 0  # PgBouncer refuses to run as root.
        if as_root:
            for folder in (directory, *directory.parents):
                if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp/"):  # noqa: S108
                    folder.chmod(folder.stat().st_mode | 0o011)
            shutil.chown(directory, "nobody")
            configuration.chmod(0o644)
        self.process = subprocess.Popen(
            [str(PROGRAM), "--quiet", str(configuration)],
            cwd=directory,
            preexec_fn=_become_nobody if as_root else None,
        )
        wait_until(self._answers, 20)

    def url(self, database: str) -> str:
        return f"postgres://koinonia@127.0.0.1:{self._port}/{database}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            assert self.process.poll() is None, (self._directory / "log").read_text()
            return False
        return True


def _become_nobody() -> None:
    nobody = pwd.getpwnam("nobody")
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
