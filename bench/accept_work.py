"""The part of ``bench_accept.py`` that runs inside a build: ``python accept_work.py seed|time|memory …``.

The build is the current directory. It is used through its public API alone, so that the same work runs
on any build. The last line of the output is JSON.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())

import django  # the build must come first on the path

SLUG = "bench"
TEXT = "Dear {first_name}, the choir of {church} meets on Sunday at ten. Bring a friend!"
NAMES = ["Anna", "Ben", "Zoë", "Tim", "Łukasz", "Maria", "José", "Ruth", "Samuel", "Esther"]
_TICKS = os.sysconf("SC_CLK_TCK")


def seed(members: int) -> dict[str, Any]:
    """Create a church with ``members`` members, its owner and no conversations."""
    from django.contrib.auth.models import User

    from koinonia.models import Church, Member, Role, Staff

    church = Church.objects.create(slug=SLUG, name="Bench Church", phone_number="+13125550100")
    Staff.objects.create(church=church, user=User.objects.create_user(SLUG), role=Role.OWNER)
    for start in range(0, members, 5_000):
        Member.objects.bulk_create(
            Member(
                church=church, first_name=f"{NAMES[n % len(NAMES)]} {n % 97}", last_name=f"Lee {n}",
                phone=f"+1206{2_000_000 + n}",
            )
            for n in range(start, min(start + 5_000, members))
        )  # fmt: skip
    return {}


class Poster:
    """Posts broadcasts to all members, in this process."""

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        self._client = Client(headers={"Host": "localhost"})
        self._client.force_login(User.objects.get(username=SLUG))
        # The first request builds the URL patterns and the middleware.
        self._client.get(f"/api/v1/churches/{SLUG}/groups/")

    def post(self) -> str:
        body = {"text": TEXT, "audience": {"all": True}}
        answer = self._client.post(
            f"/api/v1/churches/{SLUG}/broadcasts/", body, content_type="application/json"
        )
        if answer.status_code != 202:
            raise SystemExit(f"The broadcast was refused: {answer.status_code} {answer.content!r}")
        return str(answer.json()["id"])


def measure(rounds: int) -> dict[str, Any]:
    """Return per round what the broadcast and the floors take, in turn."""
    from delivery.models import Message

    poster, taken = Poster(), list[dict[str, Any]]()
    for number in range(rounds + 1):
        this = {"post": _taken(poster.post)}
        batch = Message.objects.order_by("-pk").values_list("batch", flat=True)[0]
        rows = list(Message.objects.filter(batch=batch).order_by("pk"))
        for row in rows:
            row.pk, row.batch = None, 2**40 + number
        this["bulk_create"] = _taken(lambda rows=rows: _bulk_create(rows))
        if copied := _copied(batch, 2**41 + number):
            this["copy"] = _taken(copied)
        taken.append(this)
    # The first broadcast also creates the conversations.
    return {"first": taken[0], "rounds": taken[1:], "texts": len(rows)}


def memory() -> dict[str, Any]:
    """Return by how many MB the first broadcast raises the peak of this process."""
    poster = Poster()
    before = _peak()
    poster.post()
    return {"peak": _peak(), "before": before}


def _bulk_create(rows: list[Any]) -> None:
    from django.db import transaction

    with transaction.atomic():
        type(rows[0]).objects.bulk_create(rows, batch_size=500)


def _copied(batch: int, new_batch: int) -> Callable[[], None] | None:
    """Return a function that copies the rows of ``batch`` from prepared bytes (PostgreSQL)."""
    from django.db import connection

    from delivery.models import Message

    if connection.vendor != "postgresql":
        return None
    columns = [field.column for field in Message._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{name}"' for name in columns)
    given = names.replace('"batch"', str(new_batch))
    with connection.cursor() as cursor:
        query = f"COPY (SELECT {given} FROM delivery_message WHERE batch = {batch}) TO STDOUT"  # noqa: S608  # numbers and our own names
        with cursor.copy(query) as out:
            data = b"".join(bytes(block) for block in out)

    def copy() -> None:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY delivery_message ({names}) FROM STDIN") as into,
        ):
            into.write(data)

    return copy


def _taken(work: Callable[[], Any]) -> dict[str, float]:
    started, own, database = time.perf_counter(), time.process_time(), _database_cpu()
    work()
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - own,
        "database_cpu": _database_cpu() - database,
    }


def _database_cpu() -> float:
    """Return the CPU seconds of all processes of the PostgreSQL server; 0 without a server."""
    server = os.environ.get("BENCH_POSTMASTER")
    if not server:
        return 0.0
    return sum(ticks for parent, ticks in _processes() if parent == int(server)) / _TICKS


def _processes() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended.
        yield int(fields[1]), int(fields[11]) + int(fields[12])


def _peak() -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    django.setup()
    command, *arguments = sys.argv[1:]
    work: dict[str, Callable[..., dict[str, Any]]] = {
        "seed": seed, "time": measure, "memory": memory,
    }  # fmt: skip
    print(json.dumps(work[command](*map(int, arguments))))  # noqa: T201  # for bench_accept.py


if __name__ == "__main__":
    main()
