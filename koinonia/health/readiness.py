"""Readiness: the checks behind ``/readyz``, each in a thread with a time limit.

A check that hangs, for example because a database stopped answering, costs its time limit and one
thread: the next run waits for that thread and starts no second one. Results are kept for a second,
so that a flood of probes costs one run per second.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile
from threading import Event, Lock, Thread

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from delivery.webhooks.storage import spooled
from httpopt.versions import triggers
from koinonia.database import outage, phases
from koinonia.database.outage import Outage
from koinonia.health import redis_server

logger = logging.getLogger(__name__)

DEGRADED = "degraded: "
LIMIT_SECONDS = 1.0
"""For each check. The checks run at the same time."""
KEPT_SECONDS = 1.0
_SMALLEST_FREE_BYTES = 32 * 1024 * 1024

Check = Callable[[], None]


class NotReadyError(Exception):
    """A part is not ready. The text says why and contains no secrets."""


def database() -> None:
    """Ask the database, and raise NotReadyError if it takes no writes.

    A full disk of the database still answers reads, and nothing cheap tells it in advance: a request
    of this process that met it in the last ten seconds does.
    """
    on_standby = "SELECT pg_is_in_recovery()" if connection.vendor == "postgresql" else "SELECT 0"
    with connection.cursor() as cursor:
        cursor.execute(on_standby)
        (is_standby,) = cursor.fetchone()
    if is_standby:
        raise NotReadyError(f"The database {Outage.READ_ONLY}.")
    recent = outage.log.recent
    if recent in (Outage.FULL, Outage.READ_ONLY):
        raise NotReadyError(f"The database {recent}.")


all_applied = Event()
"""Set once every migration of this code is applied: that stays true while the process lives."""


def migrations() -> None:
    if all_applied.is_set():
        return
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    # The others wait until the processes of the release before have ended.
    waiting = [one for one, _ in plan if not phases.is_post(one)]
    if waiting:
        raise NotReadyError(f"{len(waiting)} migrations wait for `manage.py migrate`.")
    all_applied.set()


def version_triggers() -> None:
    if missing := triggers.problems():
        raise NotReadyError(" ".join(missing))


def disk() -> None:
    """Write a small file in ``DATA_DIR`` to the disk; a server may lack the folder."""
    folder = settings.ENV.data_dir
    if not folder.is_dir():
        return
    if shutil.disk_usage(folder).free < _SMALLEST_FREE_BYTES:
        raise NotReadyError("The disk of DATA_DIR is full.")
    try:
        with NamedTemporaryFile(dir=folder, prefix=".readyz-") as file:
            file.write(b"ready\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotReadyError(f"DATA_DIR cannot be written ({type(error).__name__}).") from error


def webhook_spool() -> None:
    """Check that no webhook waits on disk for the database; without a spool none can."""
    waiting = spooled()
    if waiting is not None and waiting.events:
        raise NotReadyError(
            f"{waiting.events} webhooks ({waiting.bytes} bytes) wait on disk for the database."
        )


PARTS: dict[str, Check] = {
    "database": database,
    "migrations": migrations,
    "versions": version_triggers,
    "disk": disk,
    "redis": redis_server.use_buckets,
}
"""The checks of ``/readyz``."""

FULL_PARTS: dict[str, Check] = {
    "hints": redis_server.use_hints,
    "channels": redis_server.use_channels,
    "eviction": redis_server.keep_every_key,
    "spool": webhook_spool,
}
"""The additional checks of ``/readyz?full``."""

DISPENSABLE = frozenset({"redis", "versions", *FULL_PARTS})
"""The instance keeps serving without these parts, slower and less exact; it loses no text.

Version triggers are missing in every instance at once, for example during a migration on SQLite. A load
balancer that then takes all instances away turns a late 304 into an outage.
"""


@dataclass(frozen=True)
class Readiness:
    states: Mapping[str, str]
    """``ok`` or a description of the problem, by the name of the part."""

    @property
    def is_ready(self) -> bool:
        return all(state == "ok" or state.startswith(DEGRADED) for state in self.states.values())

    @property
    def status(self) -> str:
        """Return ``ready``, ``degraded`` (a dispensable part is away) or ``unavailable``."""
        if not self.is_ready:
            return "unavailable"
        return "ready" if all(state == "ok" for state in self.states.values()) else "degraded"


@dataclass
class _Run:
    """A run of a check in its thread."""

    name: str
    check: Check
    state: str = ""
    done: Event = field(default_factory=Event)

    def __call__(self) -> None:
        try:
            self.state = _state_of(self.name, self.check)
        finally:
            connections.close_all()  # Return this thread's connections to the pool.
            self.done.set()


def _state_of(name: str, check: Check) -> str:
    """Return ``ok`` or the problem of the part. The answer of a probe is public."""
    state = _run(name, check)
    return state if state == "ok" or name not in DISPENSABLE else f"{DEGRADED}{state}"


def _run(name: str, check: Check) -> str:
    try:
        check()
    except (NotReadyError, redis_server.UnusableRedisError) as error:
        return str(error)
    except (DatabaseError, OSError) as error:
        if outage.note(error) is not None:
            return f"not reachable ({type(error).__name__})"
        # The error may name a host or a user. Only the log may contain them.
        logger.warning("%s is not ready: %s", name, error, extra={"action": "not_ready"})
        return f"not reachable ({type(error).__name__})"
    except Exception as error:  # the thread would swallow it
        logger.exception("The check of %s failed", name, extra={"action": "not_ready"})
        return f"cannot be checked ({type(error).__name__})"
    return "ok"


class Checks:
    """The checks of this process and their last result; ``clock`` counts seconds."""

    def __init__(self, *, full: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._full = full
        self._clock = clock
        self._lock = Lock()
        self._running: dict[str, _Run] = {}
        self._kept: Readiness | None = None
        self._checks: Mapping[str, Check] = {}
        self._at = 0.0

    def readiness(self) -> Readiness:
        """Return a result that is at most a second old. Callers during a run wait for its result."""
        with self._lock:
            checks = {**PARTS, **FULL_PARTS} if self._full else dict(PARTS)
            is_old = self._clock() - self._at >= KEPT_SECONDS
            if self._kept is None or is_old or checks != self._checks:
                self._kept = self._run_all(checks)
                self._checks, self._at = checks, self._clock()
            return self._kept

    def forget(self) -> None:
        """Drop the kept result, so that the next call runs the checks."""
        self._kept = None

    def _run_all(self, checks: Mapping[str, Check]) -> Readiness:
        until = time.monotonic() + LIMIT_SECONDS
        runs = [self._started(name, check) for name, check in checks.items()]
        return Readiness({run.name: self._state(run, until) for run in runs})

    def _started(self, name: str, check: Check) -> _Run:
        running = self._running.get(name)
        if running is not None and not running.done.is_set() and running.check is check:
            return running
        run = self._running[name] = _Run(name, check)
        Thread(target=run, name=f"readyz-{name}", daemon=True).start()
        return run

    def _state(self, run: _Run, until: float) -> str:
        if run.done.wait(max(0.0, until - time.monotonic())):
            return run.state
        late = f"no answer within {LIMIT_SECONDS:g} s"
        return f"{DEGRADED}{late}" if run.name in DISPENSABLE else late


needed = Checks(full=False)
everything = Checks(full=True)
