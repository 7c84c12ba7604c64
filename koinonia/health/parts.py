"""What a process must reach before it is of any use, and what it can do without for a while."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from threading import Event

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from httpopt.versions import triggers
from koinonia import redis_server

logger = logging.getLogger(__name__)

DEGRADED = "degraded: "
_SMALLEST_FREE_BYTES = 32 * 1024 * 1024

Part = Callable[[], None]


class NotReadyError(Exception):
    """A part is not ready; the text says so, and nothing that only we should know."""


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


all_applied = Event()
"""Every migration of this code was found applied: that does not change while the process lives."""


def migrations() -> None:
    if all_applied.is_set():
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReadyError(f"{len(waiting)} migrations wait for `manage.py migrate`.")
    all_applied.set()


def version_triggers() -> None:
    if missing := triggers.problems():
        raise NotReadyError(" ".join(missing))


def disk() -> None:
    """Look at the file system of ``DATA_DIR``, where SQLite writes; a server may lack the folder."""
    if not settings.ENV.data_dir.is_dir():
        return
    if shutil.disk_usage(settings.ENV.data_dir).free < _SMALLEST_FREE_BYTES:
        raise NotReadyError("The disk of DATA_DIR is full.")


PARTS: dict[str, Part] = {
    "database": database,
    "migrations": migrations,
    "versions": version_triggers,
    "disk": disk,
    "redis": redis_server.use_buckets,
}
"""What ``/readyz`` asks."""

FULL_PARTS: dict[str, Part] = {
    "hints": redis_server.use_hints,
    "channels": redis_server.use_channels,
    "eviction": redis_server.keep_every_key,
}
"""What ``/readyz?full`` asks besides."""

DISPENSABLE = frozenset({"redis", *FULL_PARTS})
"""Losing them loses speed and exactness, and no text: the instance goes on serving."""


def wanted(*, full: bool) -> Mapping[str, Part]:
    return {**PARTS, **FULL_PARTS} if full else dict(PARTS)


def state(name: str, part: Part) -> str:
    """Return ``ok``, or what is wrong with the part, for everybody to read."""
    found = _state(name, part)
    return found if found == "ok" or name not in DISPENSABLE else f"{DEGRADED}{found}"


def _state(name: str, part: Part) -> str:
    try:
        part()
    except (NotReadyError, redis_server.UnusableRedisError) as error:
        return str(error)
    except (DatabaseError, OSError) as error:
        # An answer may name a host or a user; the log may.
        logger.warning("%s is not ready: %s", name, error, extra={"action": "not_ready"})
        return f"not reachable ({type(error).__name__})"
    except Exception as error:  # nobody else would hear of it: it happens in a thread of its own
        logger.exception("%s cannot be looked at", name, extra={"action": "not_ready"})
        return f"cannot be looked at ({type(error).__name__})"
    return "ok"
