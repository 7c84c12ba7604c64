"""A process that writes: it runs the function of each line of JSON and prints the result."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.realtime.second_project.settings")
django.setup()

from django.conf import settings  # noqa: E402 - Django is set up from here on
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from realtime import credentials, log, retention, rights, tickets  # noqa: E402
from realtime.models import Event, Stream  # noqa: E402
from tests.realtime.second_project.measured import (  # noqa: E402, F401 - called by name
    append_and_publish,
    append_for,
    append_timed,
    frames,
    head,
    members,
)


def migrate() -> None:
    call_command("migrate", verbosity=0)


def member(username: str, *clubs: str) -> str:
    """Create a user with a session; return the key of the session."""
    user = User.objects.create_user(username, password="x")
    for club in clubs:
        user.groups.add(Group.objects.get_or_create(name=club)[0])
    return session(username)


def session(username: str) -> str:
    user = User.objects.get(username=username)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def append(key: str, first: int, count: int = 1, batch: int = 1) -> None:
    """Append the numbers from ``first`` in transactions of ``batch``."""
    for start in range(first, first + count, batch):
        numbers = range(start, min(start + batch, first + count))
        with transaction.atomic():
            new = [log.NewEvent("number", {"n": number}) for number in numbers]
            log.append({key: new}, now=timezone.now())


def append_slowly(key: str, count: int, seconds: float) -> None:
    """Append numbers from 1 over ``seconds``, and roll back an extra transaction after each seventh."""
    for number in range(1, count + 1):
        append(key, number)
        if number % 7 == 0:
            with transaction.atomic():
                log.append({key: [log.NewEvent("number", {"n": -number})]}, now=timezone.now())
                transaction.set_rollback(True)
        time.sleep(seconds / count)


def append_large(key: str, count: int, size: int, letter: str = "x") -> None:
    with transaction.atomic():
        log.append(
            {key: [log.NewEvent("large", {"text": letter * size})] * count}, now=timezone.now()
        )


def own_key(username: str) -> str:
    return f"user:{User.objects.get(username=username).pk}"


def expel(username: str, club: str) -> None:
    User.objects.get(username=username).groups.remove(Group.objects.get(name=club))


def admit(username: str, club: str) -> None:
    User.objects.get(username=username).groups.add(Group.objects.get(name=club))


def expel_with_notice(username: str, club: str) -> None:
    expel(username, club)
    rights.changed(User.objects.get(username=username).pk)


def disable(username: str) -> None:
    """Disable a user by an UPDATE, which sends no signal and no notice."""
    User.objects.filter(username=username).update(is_active=False)


def change_password(username: str) -> None:
    user = User.objects.get(username=username)
    user.set_password("another")
    user.save()


def rename(username: str, to: str) -> None:
    User.objects.filter(username=username).update(username=to)


def log_out(session_key: str) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore(session_key).flush()


def ticket(username: str) -> str:
    credential = credentials.of_user(User.objects.get(username=username))
    return tickets.issue(credential, now=timezone.now())[0]


def expired_ticket(username: str) -> str:
    credential = credentials.of_user(User.objects.get(username=username))
    long_ago = timezone.now() - timedelta(seconds=30)
    return tickets.issue(credential, now=long_ago)[0]


def restore_from_backup(key: str, seq: int) -> None:
    """Set the database back to ``seq``, with a new epoch."""
    Event.objects.filter(stream__key=key, seq__gt=seq).delete()
    Stream.objects.filter(key=key).update(last_seq=seq, epoch="restored")


def restore_without_epoch(key: str, seq: int) -> None:
    """Set the database back to ``seq``, without a new epoch."""
    Event.objects.filter(stream__key=key, seq__gt=seq).delete()
    Stream.objects.filter(key=key).update(last_seq=seq)


def prune_up_to(key: str, up_to: int) -> None:
    Stream.objects.filter(key=key).update(first_seq=up_to + 1)
    Event.objects.filter(stream__key=key, seq__lte=up_to).delete()


def prune() -> dict[str, int]:
    return retention.prune(timezone.now())


def main() -> None:
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer: Any = globals()[name](*arguments)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the test reads the answer


if __name__ == "__main__":
    main()
