from __future__ import annotations

import pytest
import redis
from django.core.cache import caches
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings

from koinonia.config import redis_settings
from tests.support.closing_server import ClosingServer

SENTINEL = "redis+sentinel://:s%40crit@one:26380,two,[::1]:26381/koinonia"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://host", 0),
        ("redis://host/", 0),
        ("redis://host/5", 5),
        ("redis://host/5?db=7", 7),
        ("rediss://:pass@host:6380/2", 2),
        ("unix:///run/valkey.sock", 0),
        ("unix:///run/valkey.sock?password=x&db=3", 3),
        ("redis+sentinel://one,two/koinonia", 0),
        ("redis+sentinel://one,two/koinonia/7", 7),
    ],
)
def test_the_database_of_a_url_is_parsed(url: str, expected: int) -> None:
    assert redis_settings.number(url) == expected
    assert redis_settings.hash_tag(url, "grace") == f"{{grace:{expected}}}"


@pytest.mark.parametrize("url", ["redis://host/five", "redis://host/5/6", "unix:///run/v?db=-1"])
def test_a_database_that_is_not_a_number_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no number of a database"):
        redis_settings.number(url)


def test_caches_with_different_timeouts_have_different_pools() -> None:
    """Put the timeouts into LOCATION: django-redis keeps a pool per LOCATION."""
    url = "unix:///run/valkey.sock?db=5"
    quick = redis_settings.cache(url, "quick", SOCKET_TIMEOUT=0.1)["LOCATION"]
    assert quick == "unix:///run/valkey.sock?db=5&socket_timeout=0.1"
    assert quick != redis_settings.cache(url, "patient")["LOCATION"]


def test_the_channel_layer_has_no_socket_timeout() -> None:
    layer = redis_settings.channel_layer("redis://host/5", "grace")
    assert layer == {
        "hosts": [
            {"address": "redis://host/5", "socket_timeout": None, "socket_connect_timeout": 2.0}
        ],
        "prefix": "grace.5.",
    }


def test_a_sentinel_url_names_the_master_and_every_sentinel() -> None:
    host = redis_settings.channel_host(f"{SENTINEL}/4")
    assert host["sentinels"] == [("one", 26380), ("two", 26379), ("::1", 26381)]
    assert (host["master_name"], host["password"]) == ("koinonia", "s@crit")
    assert (host["socket_timeout"], host["db"]) == (None, 4)


def test_a_cache_asks_sentinel_for_its_master() -> None:
    entry = redis_settings.cache(f"{SENTINEL}/2", "tag", SOCKET_TIMEOUT=0.1)
    assert entry["LOCATION"] == "redis://koinonia/2?socket_timeout=0.1"
    assert entry["OPTIONS"]["CONNECTION_FACTORY"].endswith("SentinelConnectionFactory")
    assert entry["OPTIONS"]["SOCKET_TIMEOUT"] == 0.1


@pytest.mark.parametrize("url", ["redis://{}", "redis+sentinel://{}/koinonia"])
def test_an_unreachable_cache_is_asked_once(url: str, settings: Settings) -> None:
    """Disable retries: redis-py asks a Sentinel up to sixteen times and sleeps in between."""
    with ClosingServer() as server:
        away = redis_settings.cache(url.format(server.address), "tag", SOCKET_TIMEOUT=0.1)
        settings.CACHES = {**settings.CACHES, "away": away}
        with pytest.raises(redis.ConnectionError):
            get_redis_connection("away").ping()
        caches["away"].close()
        assert server.calls == 1
