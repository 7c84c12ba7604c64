from __future__ import annotations

import pytest
import redis
from django.core.cache import caches
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings

from koinonia import redis_settings
from tests.hangs_up import HangsUp

SENTINEL = "redis+sentinel://:s%40crit@one:26380,two,[::1]:26381/koinonia"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://host", "redis://host/3"),
        ("rediss://:pass@host:6380/0", "rediss://:pass@host:6380/3"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock?db=3"),
        ("unix:///run/valkey.sock?password=x", "unix:///run/valkey.sock?password=x&db=3"),
        ("redis+sentinel://one,two/koinonia/7", "redis+sentinel://one,two/koinonia/3"),
    ],
)
def test_each_use_has_its_own_database(url: str, expected: str) -> None:
    assert redis_settings.database(url, 3) == expected


def test_the_channel_layer_waits_for_as_long_as_it_takes() -> None:
    host = redis_settings.channel_host("redis://host", 0)
    assert host == {"address": "redis://host/0", "socket_timeout": None}


def test_sentinel_names_its_master_and_all_that_know_it() -> None:
    host = redis_settings.channel_host(SENTINEL, 0)
    assert host["sentinels"] == [("one", 26380), ("two", 26379), ("::1", 26381)]
    assert (host["master_name"], host["password"]) == ("koinonia", "s@crit")
    assert host["socket_timeout"] is None


def test_a_cache_asks_sentinel_for_its_master() -> None:
    entry = redis_settings.cache(SENTINEL, 2, SOCKET_TIMEOUT=0.1)
    assert entry["LOCATION"] == "redis://koinonia/2"
    assert entry["OPTIONS"]["CONNECTION_FACTORY"].endswith("SentinelConnectionFactory")
    assert entry["OPTIONS"]["SOCKET_TIMEOUT"] == 0.1


@pytest.mark.parametrize("url", ["redis://{}", "redis+sentinel://{}/koinonia"])
def test_a_cache_that_is_away_is_asked_once(url: str, settings: Settings) -> None:
    """redis-py by itself asks a Sentinel up to sixteen times and sleeps in between."""
    with HangsUp() as server:
        away = redis_settings.cache(url.format(server.address), 2, SOCKET_TIMEOUT=0.1)
        settings.CACHES = {**settings.CACHES, "away": away}
        with pytest.raises(redis.ConnectionError):
            get_redis_connection("away").ping()
        caches["away"].close()
        assert server.calls == 1
