"""PostgreSQL with a synchronous streaming replica, and what its operator does in a failover."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from tests.cluster.hosts import Part
from tests.cluster.namespaces import Network
from tests.support.postgres import open_to_others, programs_for_nobody
from tests.support.waiting import wait_until

PASSWORD = "only for the cluster of the tests"
_CONFIGURATION = """
listen_addresses = '*'
max_connections = 200
shared_buffers = 64MB
max_wal_size = 128MB
wal_keep_size = 64MB
hot_standby = on
synchronous_commit = on
wal_receiver_timeout = 5s
wal_sender_timeout = 5s
primary_conninfo = 'host={other} user=koinonia password=''{password}'' application_name=standby connect_timeout=2'
"""
_FILLER = "filler"
_DISK_MEGABYTES = 700


class Server:
    """One PostgreSQL with its disk, a tmpfs that can be full."""

    def __init__(self, name: str, network: Network, address: str, directory: Path) -> None:
        self.name, self.address = name, address
        self.disk = directory / name
        self.data = self.disk / "data"
        self.disk.mkdir(parents=True)
        size = f"size={_DISK_MEGABYTES}m,mode=0711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "koinonia", self.disk], check=True)
        open_to_others(directory)
        shutil.chown(self.disk, "nobody")
        self.programs = programs_for_nobody(directory) / "pginstall" / "bin"
        self.part = Part(
            name, network, address,
            [str(self.programs / "postgres"), "-D", str(self.data), "-k", str(self.disk)],
            directory / f"{name}.log", user="nobody",
        )  # fmt: skip

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL on the host of this server."""
        namespace = self.part.network.namespace(self.name)
        subprocess.run(
            [
                "ip", "netns", "exec", namespace, "setpriv", "--reuid=nobody", "--regid=nogroup",
                "--clear-groups", str(self.programs / program), *arguments,
            ],
            check=True, stdout=subprocess.DEVNULL, cwd=self.disk,
            env={**os.environ, "PGPASSWORD": PASSWORD},
        )  # fmt: skip

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(self.disk), user="koinonia", dbname="postgres", password=PASSWORD,
            autocommit=True, connect_timeout=5,
        ) as connection:  # fmt: skip
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.execute("SELECT 1"))
        return False

    def fill_disk(self) -> None:
        """Fill the disk to the last block."""
        with (self.disk / _FILLER).open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 1_048_576)

    def free_disk(self) -> None:
        (self.disk / _FILLER).unlink(missing_ok=True)

    def remove(self) -> None:
        self.part.kill()
        subprocess.run(["umount", "--lazy", self.disk], check=False)


class Pair:
    """The primary and its replica. Each failover swaps them."""

    def __init__(self, primary: Server, replica: Server) -> None:
        self.primary, self.replica = primary, replica

    @property
    def url(self) -> str:
        """Return the URL for both: libpq tries each host for the one that takes writes."""
        hosts = ",".join(sorted([self.primary.address, self.replica.address]))
        secret = PASSWORD.replace(" ", "%20")
        return (
            f"postgres://koinonia:{secret}@{hosts}/koinonia?target_session_attrs=read-write"
            "&connect_timeout=2"
        )

    def start(self) -> None:
        server = self.primary
        secret = server.disk / "password"
        secret.write_text(PASSWORD)
        shutil.chown(secret, "nobody")
        server.run(
            "initdb", "-D", str(server.data), "-U", "koinonia", "-A", "scram-sha-256", "-E", "UTF8",
            "--no-sync", f"--pwfile={secret}",
        )  # fmt: skip
        with (server.data / "pg_hba.conf").open("a") as file:
            file.write("host all,replication all 10.77.0.0/24 scram-sha-256\n")
        self._configure(server, self.replica)
        server.part.start()
        wait_until(server.answers)
        server.execute("CREATE DATABASE koinonia")
        self.follow()

    def follow(self) -> None:
        """Copy the primary to the replica, start it, and let each commit wait for it."""
        self.replica.part.kill()
        shutil.rmtree(self.replica.data, ignore_errors=True)
        self.replica.run(
            "pg_basebackup", "-h", self.primary.address, "-U", "koinonia", "-D",
            str(self.replica.data), "--checkpoint=fast", "--no-sync", "-X", "stream",
        )  # fmt: skip
        self._configure(self.replica, self.primary)
        (self.replica.data / "standby.signal").touch()
        shutil.chown(self.replica.data / "standby.signal", "nobody")
        self.replica.part.start()
        wait_until(self._is_followed, 60)
        self.wait_for_replica(True)

    def wait_for_replica(self, wanted: bool) -> None:
        """Let commits wait for the replica, or, while it is away, let them do without."""
        names = "standby" if wanted else ""
        self.primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.primary.execute("SELECT pg_reload_conf()")

    def fail_over(self) -> None:
        """Make sure that the primary is dead, and promote the replica.

        A primary that is only out of reach would take writes again afterwards, and two would answer.
        """
        self.primary.part.kill()
        self.primary, self.replica = self.replica, self.primary
        self.wait_for_replica(False)
        self.primary.execute("SELECT pg_promote()")
        wait_until(lambda: self.primary.execute("SELECT pg_is_in_recovery()") == [(False,)])

    def restart(self) -> None:
        """Restart the primary in the fast mode: open transactions are rolled back."""
        self.primary.part.stop(signal.SIGINT)
        self.start_primary()

    def start_primary(self) -> None:
        if not self.primary.part.is_running:
            self.primary.part.start()
        wait_until(self.primary.answers, 60)

    def remove(self) -> None:
        for server in (self.replica, self.primary):
            server.remove()

    def _is_followed(self) -> bool:
        return bool(
            self.primary.execute("SELECT 1 FROM pg_stat_replication WHERE state='streaming'")
        )

    def _configure(self, server: Server, other: Server) -> None:
        base = server.data / "postgresql.conf"
        text = base.read_text().partition("# The cluster of the tests")[0]
        added = _CONFIGURATION.format(other=other.address, password=PASSWORD)
        base.write_text(f"{text}# The cluster of the tests{added}")
