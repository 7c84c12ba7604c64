"""What the benchmarks have the writer do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from realtime import log, pages
from realtime.log import NewEvent

_STATUS = {
    "message": "Xk3vQ9aB", "status": "delivered", "previous": "sent", "conversation": "Pq81LmZt",
    "broadcast": "9fW2cR0y", "error": None, "updated_at": "2026-11-25T09:00:00Z", "pad": "x" * 60,
}  # fmt: skip
Committed = list[tuple[int, int, int]]
"""First and last number of each transaction, and when it was committed, in monotonic ns."""


def members(prefix: str, count: int, club: str) -> list[str]:
    """Many new users of a club, each with a session of their own; the sessions' keys."""
    group = Group.objects.get_or_create(name=club)[0]
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = []
    with transaction.atomic():
        for number in range(count):
            user = User.objects.create_user(f"{prefix}{number}", password="x")
            user.groups.add(group)
            session = store()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.save()
            keys.append(str(session.session_key))
    return keys


def append_timed(key: str, count: int, batch: int, per_second: float) -> Committed:
    """Events of the size of a status, in transactions of ``batch``; ``per_second`` 0: at once."""
    seq = log.position(key).seq
    committed: Committed = []
    due = time.monotonic()
    for first in range(seq + 1, seq + count + 1, batch):
        with transaction.atomic():
            # Registered before the notice, and so run before it: the moment of the commit.
            transaction.on_commit(
                lambda first=first: committed.append(
                    (first, first + batch - 1, time.monotonic_ns())
                )  # type: ignore[misc]  # a default, to bind it
            )
            log.append({key: [NewEvent("message.status", _STATUS)] * batch}, now=timezone.now())
        due += batch / per_second if per_second else 0
        time.sleep(max(0.0, due - time.monotonic()))
    return committed


def head(key: str) -> int:
    return log.position(key).seq


def frames(key: str, after: int) -> list[tuple[int, int, str]]:
    """First, last and text of each frame that a reader at ``after`` gets."""
    return list(_frames(key, after))


def _frames(key: str, after: int) -> Iterator[tuple[int, int, str]]:
    head = pages.head(key)
    while after < head.last:
        page = pages.page(head, after)
        yield page.first, page.last, page.frame(key)
        after = page.last
