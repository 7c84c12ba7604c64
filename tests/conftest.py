from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from delivery import redis_client
from koinonia import (
    kept_by_version,
)
from koinonia.models import (
    Church,
    Member,
    Role,
)
from tests.support import cast

# The speed of the machine fails no example.
hypothesis_settings.register_profile(
    "any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any speed")

_END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TESTS = Path(__file__).parent
_REDIS_SECONDS = 10.0
_ON_ANY_DATABASE = (
    "console/test_words.py",
    "delivery/providers/telnyx/simulator",
    "delivery/providers/telnyx/test_slow_bodies.py",
    "delivery/providers/twilio/test_environment.py",
    "delivery/providers/twilio/test_whole_system.py",
    "delivery/test_sentinel.py",
    "delivery/webhooks/test_redacted.py",
    "deploy",
    "httpopt/test_alone.py",
    "httpopt/test_schema.py",
    "httpopt/test_tags_through_proxies.py",
    "koinonia/api/test_busy_sqlite.py",
    "koinonia/api/test_one_text_in_the_log.py",
    "koinonia/api/test_schema_file.py",
    "koinonia/backup/test_sqlite_file.py",
    "koinonia/config",
    "koinonia/http/test_behind_nginx.py",
    "koinonia/http/test_date_header.py",
    "koinonia/http/test_disconnects.py",
    "koinonia/http/test_request_threads.py",
    "koinonia/http/test_servers.py",
    "koinonia/http/test_static_files.py",
    "koinonia/http/test_stopping.py",
    "koinonia/test_bodies_and_links.py",
    "koinonia/webhooks/test_posting.py",
    "realtime/browser",
    "realtime/test_slow_clients.py",
    "realtime/test_socket_counts.py",
    "test_house_rules.py",
    "test_other_users.py",
    "test_private_data.py",
    "throttling/test_alone.py",
    "throttling/test_concurrent_processes.py",
    "throttling/test_logins_in_flight.py",
    "up",
)
"""Tests of processes that do the same on either database. They run once, on SQLite."""
_DATABASE = frozenset({"db", "transactional_db", "live_server", "admin_client"})
"""The fixtures that let a test use the database of the run. All others imply one of them."""
_PROCESS = re.compile(r"subprocess|Popen|RunningSystem|SecondProject|postgres|psycopg|os\.environ")
"""Words of a file that may give the database of the run to a process."""
_SLOW = frozenset({"system", "browser", "project"})
"""The fixtures that start a system, Chromium, or a second project."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run once: the list, and all tests without the database of the run.

    In a run of several workers, files that start processes come first: a long file at the end would
    occupy one worker alone. This needs ``--no-loadscope-reorder``.
    """
    for item in items:
        place = item.path.relative_to(_TESTS).as_posix()
        if place.startswith(_ON_ANY_DATABASE) or not _may_use_database(item):
            item.add_marker(pytest.mark.any_database)
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if _starts_any(item)}
        items.sort(key=lambda item: item.path not in slow)


def _starts_any(item: pytest.Item) -> bool:
    """Return whether the test starts a system or a browser, or its file another process."""
    return not _SLOW.isdisjoint(_fixtures(item)) or _starts_processes(item.path)


def _may_use_database(item: pytest.Item) -> bool:
    """Return whether the test has the database, or may give it to a process.

    pytest-django refuses the database to a test with neither the mark nor a fixture.
    """
    if item.get_closest_marker("django_db") or not _DATABASE.isdisjoint(_fixtures(item)):
        return True
    return any(_starts_processes(file) for file in _files(item))


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


def _files(item: pytest.Item) -> Iterator[Path]:
    """Yield the file of the test and the conftest files above it."""
    yield item.path
    folder = item.path.parent
    while folder != _TESTS:
        yield folder / "conftest.py"
        folder = folder.parent


@cache
def _starts_processes(file: Path) -> bool:
    return file.exists() and _PROCESS.search(file.read_text()) is not None


@pytest.fixture(scope="session", autouse=True)
def fast_passwords() -> Iterator[None]:
    """Hash passwords quickly: the hash of a server costs a quarter of a second for each user."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def slow_redis_allowed() -> Iterator[None]:
    """Wait long for Redis, because the code under test counts by itself after 0.1 s."""
    caches = {alias: _with_patience(cache) for alias, cache in settings.CACHES.items()}
    with override_settings(CACHES=caches), pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_client, "_TIMEOUT_SECONDS", _REDIS_SECONDS)
        yield


def _with_patience(cache: dict[str, Any]) -> dict[str, Any]:
    names = cache["OPTIONS"].keys() & {"SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"}
    location = re.sub("timeout=[0-9.]+", f"timeout={_REDIS_SECONDS}", cache["LOCATION"])
    options = {**cache["OPTIONS"], **dict.fromkeys(names, _REDIS_SECONDS)}
    return {**cache, "LOCATION": location, "OPTIONS": options}


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Forget what the process keeps by versions, which a test takes back with its changes."""
    kept_by_version.forget_all()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Use an SQLite file: in an in-memory database, a second writer fails at once instead of waiting."""
    if connection.vendor == "sqlite":
        file = Path(os.environ["DATA_DIR"]) / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End all other sessions, because PostgreSQL does not drop a database with an open session."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(_END_OTHER_SESSIONS)


@pytest.fixture
def grace(db: None) -> Church:
    """Create Grace church."""
    return cast.church("grace", "+13125550100")


@pytest.fixture
def hope(db: None) -> Church:
    """Create Hope church, another tenant."""
    return cast.church("hope", "+13125550200")


@pytest.fixture
def grace_owner(grace: Church) -> User:
    return cast.staff(grace, Role.OWNER)


@pytest.fixture
def grace_sender(grace: Church) -> User:
    return cast.staff(grace, Role.SENDER)


@pytest.fixture
def grace_viewer(grace: Church) -> User:
    return cast.staff(grace, Role.VIEWER)


@pytest.fixture
def hope_owner(hope: Church) -> User:
    return cast.staff(hope, Role.OWNER)


@pytest.fixture
def stranger(db: None) -> User:
    """Create a user without a church."""
    return User.objects.create_user("stranger", password=cast.PASSWORD)


@pytest.fixture
def anna(grace: Church) -> Member:
    return cast.member(grace, "Anna", "+13125550111", last_name="Lee")


@pytest.fixture
def ben(grace: Church) -> Member:
    return cast.member(grace, "Ben", "+13125550112")


@pytest.fixture
def swift(settings: Any) -> None:
    """Turn off rate limits, which other tests cover."""
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}
