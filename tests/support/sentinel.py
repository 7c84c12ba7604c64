"""A Valkey, its replica and a Sentinel, as processes that a test can kill."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Self

import redis

from delivery.worker.parent_death import die_with_parent
from koinonia.up.programs import valkey_binary
from tests.support.running_system import free_port
from tests.support.waiting import wait_until

MASTER = "koinonia"
_CONFIGURATION = """\
sentinel monitor {master} 127.0.0.1 {primary} 1
sentinel down-after-milliseconds {master} 300
sentinel failover-timeout {master} 2000
"""


class WatchedValkey:
    """``with WatchedValkey(directory) as watched``: ``watched.url`` is a ``redis+sentinel://`` URL."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = {name: free_port() for name in ("primary", "replica", "sentinel")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"redis+sentinel://127.0.0.1:{self._ports['sentinel']}/{MASTER}/3"

    def __enter__(self) -> Self:
        self._start("primary", "--save", "", "--repl-diskless-sync-delay", "0")
        self._start(
            "replica", "--save", "", "--replicaof", "127.0.0.1", str(self._ports["primary"])
        )
        configuration = self._directory / "sentinel.conf"
        configuration.write_text(
            _CONFIGURATION.format(master=MASTER, primary=self._ports["primary"])
        )
        self._start("sentinel", "--sentinel", configuration=configuration)
        try:
            self._wait_until_a_replica_can_take_over()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill ``primary``, ``replica`` or ``sentinel``."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def client(self, name: str) -> redis.Redis:
        return redis.Redis(port=self._ports[name], db=0 if name == "sentinel" else 3)

    def _start(self, name: str, *options: str, configuration: Path | None = None) -> None:
        directory = self._directory / name
        directory.mkdir()
        first = [str(configuration)] if configuration else []
        self._processes[name] = subprocess.Popen(
            [
                str(valkey_binary()), *first, "--port", str(self._ports[name]),
                "--bind", "127.0.0.1", "--dir", str(directory), *options,
            ],
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )  # fmt: skip

    def _wait_until_a_replica_can_take_over(self) -> None:
        with self.client("sentinel") as sentinel:
            wait_until(lambda: _has_a_replica(sentinel))


def _has_a_replica(sentinel: Any) -> bool:
    try:
        # By default, Sentinel looks for replicas every ten seconds.
        sentinel.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", "100")
        replicas = sentinel.sentinel_slaves(MASTER)
    except redis.ConnectionError:
        return False
    return any(replica["master-link-status"] == "ok" for replica in replicas)
