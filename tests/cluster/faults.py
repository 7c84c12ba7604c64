"""The faults. Each fault has a begin and an end, and includes the actions of the operator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from tests.cluster.hosts import Part
from tests.cluster.system import Cluster
from tests.support.waiting import wait_until

SHORT, LONG = 5.0, 12.0
"""Seconds that a fault lasts."""


@dataclass(frozen=True)
class Fault:
    name: str
    meet: Callable[[Cluster], AbstractContextManager[None]]
    """The fault lasts as long as the block of this context manager."""
    seconds: float = LONG
    dead_web: str = ""
    """This web process cannot answer during the fault."""
    redis_is_away: bool = False
    """During the fault, each web process applies the limits separately."""


@contextmanager
def _killed(part: Part) -> Iterator[None]:
    part.kill()
    yield
    part.start()


@contextmanager
def _frozen(part: Part) -> Iterator[None]:
    part.freeze()
    try:
        yield
    finally:
        part.thaw()


@contextmanager
def _cut(cluster: Cluster, name: str, *others: str) -> Iterator[None]:
    cluster.network.cut(name, *others)
    try:
        yield
    finally:
        cluster.network.restore(name, *others)


@contextmanager
def _slow(cluster: Cluster, name: str) -> Iterator[None]:
    cluster.network.slow(name)
    try:
        yield
    finally:
        cluster.network.quicken(name)


def _of_web(
    act: Callable[[Part], AbstractContextManager[None]],
) -> Callable[[Cluster], AbstractContextManager[None]]:
    return lambda cluster: act(cluster.webs[0])


@contextmanager
def _web_without_database(cluster: Cluster) -> Iterator[None]:
    with _cut(cluster, "web2", *_databases(cluster)):
        yield


@contextmanager
def _worker_without_database(cluster: Cluster) -> Iterator[None]:
    with _cut(cluster, "worker1", *_databases(cluster)):
        yield


@contextmanager
def _worker_without_carrier(cluster: Cluster) -> Iterator[None]:
    with _cut(cluster, "worker2", cluster.addresses["carrier"]):
        yield


@contextmanager
def _all_without_database(cluster: Cluster) -> Iterator[None]:
    with _cut(cluster, cluster.postgres.primary.name, *_addresses(cluster, "web", "worker")):
        yield


@contextmanager
def _all_without_redis(cluster: Cluster) -> Iterator[None]:
    everyone = _addresses(cluster, "web", "worker")
    with (
        _cut(cluster, "redis1", *everyone),
        _cut(cluster, "redis2", *everyone),
        _cut(cluster, "redis3", *everyone),
    ):
        yield


@contextmanager
def _restarted_in_turn(cluster: Cluster) -> Iterator[None]:
    for part in [*cluster.webs, *cluster.workers]:
        part.stop()
        part.start()
        if part in cluster.webs:
            wait_until(partial(cluster.web_is_ready, part), 60)
    yield


@contextmanager
def _database_restarted(cluster: Cluster) -> Iterator[None]:
    cluster.postgres.restart()
    yield


@contextmanager
def _database_crashed(cluster: Cluster) -> Iterator[None]:
    cluster.postgres.primary.part.kill()
    yield
    cluster.postgres.start_primary()


@contextmanager
def _failed_over(cluster: Cluster) -> Iterator[None]:
    cluster.postgres.primary.part.kill()
    time.sleep(3)  # The time in which an operator's program notices it.
    cluster.postgres.fail_over()
    yield
    cluster.postgres.follow()


@contextmanager
def _vanished_and_failed_over(cluster: Cluster) -> Iterator[None]:
    old = cluster.postgres.primary
    with _cut(
        cluster, old.name, *_addresses(cluster, "web", "worker"), cluster.postgres.replica.address
    ):
        time.sleep(3)
        cluster.postgres.fail_over()
        yield
    cluster.postgres.follow()


@contextmanager
def _replica_killed(cluster: Cluster) -> Iterator[None]:
    cluster.postgres.replica.part.kill()
    time.sleep(3)  # Each commit waits for the replica, until the operator's program notices.
    cluster.postgres.wait_for_replica(False)
    yield
    cluster.postgres.follow()


@contextmanager
def _database_slow(cluster: Cluster) -> Iterator[None]:
    with _slow(cluster, cluster.postgres.primary.name):
        yield


@contextmanager
def _disk_full(cluster: Cluster) -> Iterator[None]:
    server = cluster.postgres.primary
    server.fill_disk()
    try:
        yield
    finally:
        server.free_disk()
    # PostgreSQL ends itself when it cannot write its log.
    cluster.postgres.start_primary()


@contextmanager
def _redis_frozen(cluster: Cluster) -> Iterator[None]:
    with _frozen(cluster.redis.primary()):
        yield


@contextmanager
def _redis_failed_over(cluster: Cluster) -> Iterator[None]:
    with _killed(cluster.redis.primary()):
        yield


@contextmanager
def _redis_emptied(cluster: Cluster) -> Iterator[None]:
    primary = cluster.redis.primary()
    primary.kill()
    primary.start()
    yield


@contextmanager
def _carrier_outage(cluster: Cluster, mode: str) -> Iterator[None]:
    cluster.carrier_control("POST", "/outage", {"on": True, "mode": mode})
    try:
        yield
    finally:
        cluster.carrier_control("POST", "/outage", {"on": False})


@contextmanager
def _no_reports(cluster: Cluster) -> Iterator[None]:
    with _cut(cluster, "carrier", cluster.public):
        yield


@contextmanager
def _proxy_killed(cluster: Cluster) -> Iterator[None]:
    part = next(edge for edge in cluster.edges if edge.name == cluster.public_at)
    part.kill()
    time.sleep(2)  # keepalived takes about as long.
    cluster.move_public_address()
    yield
    part.start()


FAULTS = [
    Fault("a web process is killed", _of_web(_killed), SHORT, "web1"),
    Fault("a web process is frozen", _of_web(_frozen), LONG, "web1"),
    Fault("a web process is cut from PostgreSQL", _web_without_database),
    Fault("a web process has a slow link", lambda cluster: _slow(cluster, "web3")),
    Fault("a worker is killed", lambda cluster: _killed(cluster.workers[0]), SHORT),
    Fault("a worker is frozen", lambda cluster: _frozen(cluster.workers[1])),
    Fault("a worker is cut from PostgreSQL", _worker_without_database),
    Fault("a worker is cut from the carrier", _worker_without_carrier),
    Fault("webs and workers are restarted in turn", _restarted_in_turn, SHORT, "all"),
    Fault("PostgreSQL is restarted", _database_restarted, SHORT),
    Fault("PostgreSQL crashes and comes back", _database_crashed, SHORT),
    Fault("PostgreSQL is frozen", lambda cluster: _frozen(cluster.postgres.primary.part)),
    Fault("PostgreSQL has a slow link", _database_slow),
    Fault("all are cut from PostgreSQL", _all_without_database),
    Fault("PostgreSQL crashes, the replica is promoted", _failed_over, SHORT),
    Fault("PostgreSQL vanishes, the replica is promoted", _vanished_and_failed_over, SHORT),
    Fault("the replica is killed", _replica_killed, SHORT),
    Fault("PostgreSQL's disk is full", _disk_full),
    Fault("Redis is killed, Sentinel fails over", _redis_failed_over, redis_is_away=True),
    Fault("Redis is frozen, Sentinel fails over", _redis_frozen, redis_is_away=True),
    Fault("Redis restarts empty", _redis_emptied, SHORT, redis_is_away=True),
    Fault("a Sentinel is killed", lambda c: _killed(c.redis.sentinels["redis1"]), SHORT),
    Fault("all are cut from Redis", _all_without_redis, redis_is_away=True),
    Fault("the carrier refuses connections", lambda c: _carrier_outage(c, "refuse")),
    Fault("the carrier answers 503", lambda c: _carrier_outage(c, "503")),
    Fault("the carrier's reports do not arrive", _no_reports, SHORT),
    Fault("a proxy is killed, its address moves", _proxy_killed, SHORT),
]


def _databases(cluster: Cluster) -> list[str]:
    return [cluster.addresses["db1"], cluster.addresses["db2"]]


def _addresses(cluster: Cluster, *kinds: str) -> list[str]:
    return [found for name, found in cluster.addresses.items() if name.startswith(kinds)]
