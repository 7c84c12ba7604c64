from __future__ import annotations

import pytest

from koinonia import redis_settings

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
