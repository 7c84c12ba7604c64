"""The steps after the database was restored from a backup, and before web and worker start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.sessions.models import Session
from django.core import checks
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

import delivery.restored
import realtime.log
from httpopt.versions import counters
from koinonia.broadcasts import due
from koinonia.models import UserSession
from realtime.models import Ticket, WebProcess


class CannotContinueError(Exception):
    """The steps must not run now; the text says why."""


def check(*, others_may_run: bool = False) -> None:
    """Raise CannotContinueError if the schema is not the one of this release, or others use the database."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CannotContinueError(
            "The backup is of an earlier release: run manage.py migrate first."
        )
    if not others_may_run and (number := _other_connections()):
        raise CannotContinueError(
            f"{number} other connections use this database. Stop every web process and worker"
            " first: a worker would send what the backup knows as waiting."
        )


def finish(now: datetime, *, hold: bool) -> Iterator[str]:
    """Make the restored data safe to serve and to send from; yield a sentence about each step."""
    if hold:
        texts, broadcasts = delivery.restored.hold_unsent(now), due.hold_due(now)
        yield f"{texts} texts and {broadcasts} scheduled broadcasts that may have been sent are held."
    first = delivery.restored.skip_ids()
    yield f"New texts begin with the id {first}."
    delivery.restored.end_leases()
    WebProcess.objects.all().delete()
    with transaction.atomic():
        ended = Session.objects.all().delete()[0]
        UserSession.objects.all().delete()
        Ticket.objects.all().delete()
        streams = realtime.log.begin_epochs()
        counters.begin_epoch(renew=True)
    yield f"{ended} sessions ended: one of them may have been ended after the backup."
    yield f"{streams} event streams and all ETags begin a new epoch."
    yield from (f"Warning: {found.msg}" for found in checks.run_checks(databases=["default"]))


def _other_connections() -> int:
    if connection.vendor != "postgresql":
        return 0
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        (number,) = cursor.fetchone()
    return int(number)
