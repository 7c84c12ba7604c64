"""What a process must reach before it is of any use."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django_redis import get_redis_connection

from httpopt.versions import install

logger = logging.getLogger(__name__)


class NotReadyError(Exception):
    """A part is not ready; the text says so, and nothing that only we should know."""


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def redis_server() -> None:
    get_redis_connection("throttling").ping()


def migrations() -> None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReadyError(f"{len(waiting)} migrations wait for `manage.py migrate`.")


def version_triggers() -> None:
    if missing := install.problems():
        raise NotReadyError(" ".join(missing))


PARTS: dict[str, Callable[[], None]] = {
    "database": database,
    "redis": redis_server,
    "migrations": migrations,
    "versions": version_triggers,
}


def look() -> dict[str, str]:
    """Each part: ``ok``, or what is wrong with it."""
    return {name: _state(name, part) for name, part in PARTS.items()}


def _state(name: str, part: Callable[[], None]) -> str:
    try:
        part()
    except NotReadyError as error:
        return str(error)
    except (DatabaseError, redis.RedisError, OSError) as error:
        # An answer may name a host or a user; the log may.
        logger.warning("%s is not ready: %s", name, error, extra={"action": "not_ready"})
        return f"not reachable ({type(error).__name__})"
    return "ok"
