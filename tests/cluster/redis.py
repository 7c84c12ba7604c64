"""Two Valkeys, primary and replica, and three Sentinels that watch them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import redis

from koinonia.up.programs import valkey_binary
from tests.cluster.hosts import Part
from tests.cluster.namespaces import Network
from tests.support.waiting import wait_until

MASTER = "koinonia"
_PORT, _SENTINEL_PORT = 6379, 26379
_SENTINEL = """\
sentinel monitor {master} {primary} {port} 2
sentinel down-after-milliseconds {master} 2000
sentinel failover-timeout {master} 6000
"""


class Watched:
    """``servers`` and ``sentinels`` by the name of their host."""

    def __init__(self, network: Network, hosts: Mapping[str, str], directory: Path) -> None:
        """Use the first two hosts for servers, and each for a Sentinel."""
        self._hosts = dict(hosts)
        first, second = list(hosts)[:2]
        self.servers: dict[str, Part] = {}
        self.sentinels: dict[str, Part] = {}
        for name in (first, second):
            following = ["--replicaof", hosts[first], str(_PORT)] if name == second else []
            self.servers[name] = _server(network, name, hosts[name], directory, following)
        for name, address in hosts.items():
            self.sentinels[name] = _sentinel(network, name, address, directory, hosts[first])

    @property
    def url(self) -> str:
        hosts = ",".join(f"{address}:{_SENTINEL_PORT}" for address in self._hosts.values())
        return f"redis+sentinel://{hosts}/{MASTER}/0"

    def start(self) -> None:
        for part in [*self.servers.values(), *self.sentinels.values()]:
            part.start()
        wait_until(lambda: self._replicas_known(1), 60)

    def primary(self) -> Part:
        """Return the server that most Sentinels call the primary."""
        named = [found for name in self._hosts if (found := self._named_by(name))]
        most = max(set(named), key=named.count)
        return next(part for part in self.servers.values() if part.address == most)

    def is_whole(self) -> bool:
        """Return whether a primary and a replica in step with it answer."""
        return self._replicas_known(1)

    def _replicas_known(self, wanted: int) -> bool:
        try:
            with _client(self.primary().address, _PORT) as client:
                told = client.info("replication")
        except (redis.RedisError, ValueError, StopIteration):
            return False
        return bool(told["role"] == "master" and told["connected_slaves"] >= wanted)

    def _named_by(self, name: str) -> str:
        try:
            with _client(self._hosts[name], _SENTINEL_PORT) as client:
                found = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        except redis.RedisError:
            return ""
        return str(found[0].decode())


def _client(address: str, port: int) -> redis.Redis:
    return redis.Redis.from_url(f"redis://{address}:{port}", socket_timeout=1)


def _server(
    network: Network, name: str, address: str, directory: Path, following: list[str]
) -> Part:
    own = directory / name
    own.mkdir()
    command = [
        str(valkey_binary()), "--port", str(_PORT), "--bind", address, "--protected-mode", "no",
        "--dir", str(own), "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
        "--maxmemory-policy", "noeviction", *following,
    ]  # fmt: skip
    return Part(name, network, address, command, directory / f"{name}.log")


def _sentinel(network: Network, name: str, address: str, directory: Path, primary: str) -> Part:
    own = directory / f"sentinel-{name}"
    own.mkdir()
    file = own / "sentinel.conf"
    file.write_text(_SENTINEL.format(master=MASTER, primary=primary, port=_PORT))
    command = [
        str(valkey_binary()), str(file), "--sentinel", "--port", str(_SENTINEL_PORT),
        "--bind", address, "--protected-mode", "no", "--dir", str(own),
    ]  # fmt: skip
    log = directory / f"sentinel-{name}.log"
    return Part(f"sentinel-{name}", network, address, command, log, host=name)
