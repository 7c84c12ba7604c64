"""Functions that the benchmarks run in the writer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

import redis
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from realtime import log, log_reader
from realtime.log import NewEvent

_STATUS = {
    "message": "Xk3vQ9aB", "status": "delivered", "previous": "sent", "conversation": "Pq81LmZt",
    "broadcast": "9fW2cR0y", "error": None, "updated_at": "2026-11-25T09:00:00Z", "pad": "x" * 60,
}  # fmt: skip
Committed = list[tuple[int, int, int]]
"""The first and last number of each transaction, and its commit time in monotonic ns."""


def members(prefix: str, count: int, *clubs: str) -> list[str]:
    """Create ``count`` members of these clubs; return the keys of their sessions."""
    groups = [Group.objects.get_or_create(name=club)[0] for club in clubs]
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = []
    with transaction.atomic():
        for number in range(count):
            user = User.objects.create_user(f"{prefix}{number}", password="x")
            user.groups.add(*groups)
            session = store()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.save()
            keys.append(str(session.session_key))
    return keys


def append_timed(key: str, count: int, batch: int, per_second: float) -> Committed:
    """Append events of the size of a status in transactions of ``batch``; rate 0 means full speed."""
    return _append(key, count, batch, per_second, lambda first: None)


def append_and_publish(
    key: str, count: int, batch: int, per_second: float, redis_url: str, channel: str
) -> Committed:
    """Append the same, and publish the frames of each commit to a channel of Redis."""
    if batch not in _published:
        _append(key, batch, batch, 0, lambda first: None)
        before = log.position(key).seq - batch
        _published[batch] = [
            (first - before, last - before, text.partition('"events":')[2])
            for first, last, text in _frames(key, before)
        ]
    with redis.Redis.from_url(redis_url) as client:

        def publish(first: int) -> None:
            for begin, end, events in _published[batch]:
                numbers = f'"from":{first + begin - 1},"to":{first + end - 1}'
                frame = f'{{"type":"events","stream":"{key}",{numbers},"events":{events}'
                client.publish(channel, frame)

        return _append(key, count, batch, per_second, publish)


_published: dict[int, list[tuple[int, int, str]]] = {}
"""The frames of a transaction by its size, encoded before the measurement."""


def _append(
    key: str, count: int, batch: int, per_second: float, then: Callable[[int], None]
) -> Committed:
    seq = log.position(key).seq
    committed: Committed = []

    def is_committed(first: int) -> None:
        committed.append((first, first + batch - 1, time.monotonic_ns()))
        then(first)

    due = time.monotonic()
    for first in range(seq + 1, seq + count + 1, batch):
        with transaction.atomic():
            # Register before the notice does, so that this records the time of the commit.
            transaction.on_commit(partial(is_committed, first))
            log.append({key: [NewEvent("message.status", _STATUS)] * batch}, now=timezone.now())
        due += batch / per_second if per_second else 0
        time.sleep(max(0.0, due - time.monotonic()))
    return committed


def append_for(key: str, batch: int, seconds: float) -> float:
    """Append transactions of ``batch`` events for some time; return events per second."""
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        with transaction.atomic():
            log.append({key: [NewEvent("message.status", _STATUS)] * batch}, now=timezone.now())
        done += batch
    return done / (time.perf_counter() - began)


def head(key: str) -> int:
    return log.position(key).seq


def frames(key: str, after: int) -> list[tuple[int, int, str]]:
    """Return first, last and text of each frame for a reader at ``after``."""
    return list(_frames(key, after))


def _frames(key: str, after: int) -> Iterator[tuple[int, int, str]]:
    head = log_reader.read_head(key)
    while after < head.last:
        page = log_reader.read_page(head, after)
        yield page.first, page.last, page.frame(key)
        after = page.last
