"""Redis behind Sentinel (``REDIS_URL=redis+sentinel://…``): workers share their state there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from delivery import redis_client
from delivery.limits import pacing
from delivery.limits.breaker.permit import Tally
from delivery.limits.breaker.shared import SharedBreaker
from delivery.models import BreakerState
from delivery.queue import hints
from tests.delivery.accounts import account
from tests.delivery.redis_state import behind
from tests.support.closing_server import ClosingServer
from tests.support.sentinel import WatchedValkey
from tests.support.waiting import wait_until

HERE = "+13125550100"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedValkey]:
    with WatchedValkey(tmp_path) as running:
        yield running


def share_everything(redis: Redis) -> None:
    """Check that hints, pace and breaker use ``redis``."""
    redis.flushdb()
    hints.push()
    assert hints.wait(1)
    assert 0 < pacing.take(account(), 1, HERE, [1] * 100).texts < 100
    one, other = SharedBreaker(account()), SharedBreaker(account())
    one.record(one.ask()[0], Tally(10, 10))
    assert other.ask()[0].state == BreakerState.OPEN
    kept = [bytes(key).decode() for key in redis.scan_iter()]
    assert {key.rpartition("}:")[2].partition(":")[0] for key in kept} == {"breaker", "pace"}


def answers() -> bool:
    try:
        redis_client.call(lambda redis: redis.set("answers", "yes"))
    except redis_client.RedisUnavailableError:
        return False
    return True


def test_workers_share_state_before_and_after_a_failover(
    watched: WatchedValkey, settings: Any
) -> None:
    behind(settings, watched.url, SENDER_RATE=1)
    with watched.client("primary") as primary, watched.client("replica") as replica:
        share_everything(primary)
        watched.kill("primary")
        wait_until(answers, 30)
        share_everything(replica)


@pytest.mark.chaos
def test_a_demoted_master_is_abandoned(watched: WatchedValkey, settings: Any) -> None:
    """Wait long: a Sentinel tells the old master only after eight seconds that it is a replica."""
    behind(settings, watched.url, SENDER_RATE=1)
    assert answers()
    with watched.client("sentinel") as sentinel, watched.client("replica") as replica:
        sentinel.sentinel_failover("koinonia")
        wait_until(lambda: _leads(replica), 30)
        replica.delete("answers")
        wait_until(lambda: answers() and replica.get("answers"), 30)
        share_everything(replica)


def _leads(redis: Redis) -> bool:
    role: Any = redis.role()
    return bool(role[0] == b"master")


@pytest.mark.parametrize("scheme", ["redis://{}/3", "redis+sentinel://{}/koinonia/3"])
def test_an_unreachable_sentinel_is_asked_once(scheme: str, settings: Any) -> None:
    """Check that redis-py's sixteen retries, with pauses, are switched off."""
    with ClosingServer() as server:
        behind(settings, scheme.format(server.address))
        with pytest.raises(redis_client.RedisUnavailableError):
            redis_client.call(lambda redis: redis.ping())
        assert server.calls == 1
