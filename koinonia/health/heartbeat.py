"""The web and worker processes that live: each writes a line into one hash of Redis every few seconds.

Redis may lose the lines: then the processes are unknown until they write again. Nothing depends on them.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from delivery import conf, redis_client
from delivery.process import PerProcess, worker_name

EVERY_SECONDS = 10.0
ALIVE_FOR = timedelta(seconds=35)
_KEPT_FOR = timedelta(hours=1)
_WEB, _WORKER = "web", "worker"


@dataclass(frozen=True, slots=True)
class LiveProcess:
    """A process that wrote its line a moment ago."""

    kind: str
    """``web`` or ``worker``."""
    name: str
    release: str
    """A digest of the source code."""
    started: datetime


class _Beat:
    """The beats of this process: when it started, and when it wrote last."""

    def __init__(self) -> None:
        self.started = timezone.now()
        self.written = float("-inf")


_beats = PerProcess(_Beat)


def beat_of_worker(now: datetime) -> None:
    """Write the line of this worker, at most every ten seconds."""
    beat = _beats.get()
    if time.monotonic() - beat.written < EVERY_SECONDS:
        return
    beat.written = time.monotonic()
    _write(_WORKER, beat.started, now)


def follow_web_process() -> None:
    """Write the line of this web process every ten seconds, in a thread, whether it has requests or not."""
    threading.Thread(target=_keep_writing, name="heartbeat", daemon=True).start()


def alive(now: datetime) -> list[LiveProcess] | None:
    """Return the processes that live, by kind and name; None if Redis does not answer."""
    try:
        lines: dict[Any, Any] = redis_client.call(lambda redis: redis.hgetall(_key()))
    except redis_client.RedisUnavailableError:
        return None
    found = []
    for field, value in lines.items():
        kind, _, name = field.decode().partition(" ")
        line: dict[str, Any] = json.loads(value)
        if now - _moment(line["seen"]) <= ALIVE_FOR:
            found.append(LiveProcess(kind, name, line["release"], _moment(line["started"])))
    return sorted(found, key=lambda one: (one.kind, one.name))


def release() -> str:
    """Return the digest of the source code, as the metrics show it."""
    return str(settings.HTTPOPT["RELEASE"])[:12]


def _keep_writing() -> None:
    while True:
        _write(_WEB, _beats.get().started, timezone.now())
        time.sleep(EVERY_SECONDS)


def _write(kind: str, started: datetime, now: datetime) -> None:
    line = {"seen": now.timestamp(), "started": started.timestamp(), "release": release()}
    field = f"{kind} {worker_name()}"
    try:
        redis_client.call(lambda redis: redis.hset(_key(), field, json.dumps(line)))
        redis_client.call(lambda redis: _forget_old(redis, now))
    except redis_client.RedisUnavailableError:
        pass  # The desk then says that the processes are unknown.


def _forget_old(redis: Any, now: datetime) -> None:
    """Delete the lines of processes that ended an hour ago."""
    lines: dict[Any, Any] = redis.hgetall(_key())
    old = [
        field for field, value in lines.items()
        if now - _moment(json.loads(value)["seen"]) > _KEPT_FOR
    ]  # fmt: skip
    if old:
        redis.hdel(_key(), *old)


def _key() -> str:
    return conf.redis_key("processes")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
