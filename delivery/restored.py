"""Hold the waiting messages after the restore of a backup.

A worker may have sent them after the backup, and a second send could text a person twice. Each becomes
``unknown``: the watchdog asks the provider, and a person decides about the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.models import Max, Q

from delivery.changes import message_changes
from delivery.models import Message, NightlyRun
from delivery.models.transitions import TRANSITION_FIELDS, Failure
from delivery.statuses import Status

CODE = "restored"
_MAY_BE_SENT = Failure(
    CODE, "The database was restored: this text may have been sent before", "ambiguous"
)
_AT_ONCE = 200
IDS_SKIPPED = 1_000_000
"""More than an installation gives between two backups."""


def hold_unsent(now: datetime) -> int:
    """Make queued and due messages ``unknown``. Return the number of messages."""
    return sum(_hold_some(now))


def _hold_some(now: datetime) -> Iterator[int]:
    waiting = Q(status__in=(Status.QUEUED, Status.RETRYING, Status.SENDING)) | Q(
        status=Status.SCHEDULED, next_attempt_at__lte=now
    )
    held = -1
    while held:
        with message_changes(now) as changes:
            rows = list(Message.objects.filter(waiting).locked()[:_AT_ONCE])
            for row in rows:
                previous = row.claimed_from if row.status == Status.SENDING else row.status
                row.ambiguous = True
                row.give_up(_MAY_BE_SENT, now)
                changes.add(row, previous=previous)
            if rows:
                Message.objects.all().write(rows, TRANSITION_FIELDS)
            held = len(rows)
        yield held


def end_leases() -> None:
    """Release the lease of the nightly work: its worker was lost with the old database."""
    NightlyRun.objects.update(lease_until=None)


def skip_ids() -> int:
    """Give new messages fresh ids. Return the next id.

    The provider still reports about messages that were accepted after the backup, by the reference with
    their id. A new message with such an id would be taken for them.
    """
    table = Message._meta.db_table
    highest = Message.objects.aggregate(highest=Max("pk"))["highest"] or 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The position of the sequence is beyond all deleted rows.
            cursor.execute(
                "SELECT setval(name, greatest(%s, nextval(name)) + %s)"
                " FROM pg_get_serial_sequence(%s, 'id') AS name",
                [highest, IDS_SKIPPED, table],
            )
            (last,) = cursor.fetchone()
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            (found,) = cursor.fetchone() or (0,)
            last = max(highest, found) + IDS_SKIPPED
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
    return int(last) + 1
