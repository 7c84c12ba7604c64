"""The first waiting message of each line: of one priority, provider account and tenant.

A line is sent in the order of its messages, so its head tells whether a message of it is due. The walk
from head to head costs the same however many messages wait in a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

from delivery.models import Message
from delivery.models.columns import Columns
from delivery.models.queue import DUE_STATUSES

# Each step descends the index "message_due_by_provider" once, at the end of an account or a priority
# up to three times. Not by one comparison of rows: SQLite would use only the first column of it. Nor by
# LATERAL, which SQLite does not have: the walk carries ids.
_NEXT = """
SELECT later.id FROM {table} AS later WHERE later.{waits} AND {after}
ORDER BY later.priority, later.provider, later.tenant_id, later.next_attempt_at, later.id LIMIT 1
"""
_SAME_ACCOUNT = """
    later.priority = message.priority AND later.provider = message.provider
    AND later.tenant_id > message.tenant_id
"""
_SAME_PRIORITY = "later.priority = message.priority AND later.provider > message.provider"
_LATER_PRIORITY = "later.priority > message.priority"
_WALK = """
WITH RECURSIVE head(id) AS (
    SELECT ({first})
    UNION ALL
    SELECT COALESCE(({same_account}), ({same_priority}), ({later_priority}))
    FROM head JOIN {table} AS message ON message.id = head.id
)
SELECT {columns} FROM head JOIN {table} AS message ON message.id = head.id
"""
_COLUMNS = Columns(Message, ("priority", "provider", "tenant", "next_attempt_at"))


@dataclass(frozen=True, slots=True)
class Head:
    """The first waiting message of a line."""

    priority: int
    provider: str
    """The alias of the account."""
    tenant_id: Any
    """Has the type of the host's key: an integer, a UUID, a text."""
    due_at: datetime

    def is_due(self, now: datetime) -> bool:
        return self.due_at <= now


def heads() -> list[Head]:
    """Return the heads of all lines with waiting messages, due or not, sorted by line."""
    with connection.cursor() as cursor:
        cursor.execute(_walk())
        found = cursor.fetchall()
    return [Head(*values) for values in _COLUMNS.values(found, using=connection.alias)]


@cache
def _walk() -> str:
    table = Message._meta.db_table
    waits = "status IN ({})".format(", ".join(f"'{status}'" for status in DUE_STATUSES))

    def step(after: str) -> str:
        return _NEXT.format(table=table, waits=waits, after=after)

    return _WALK.format(
        table=table,
        columns=_COLUMNS.sql("message"),
        first=step("TRUE"),
        same_account=step(_SAME_ACCOUNT),
        same_priority=step(_SAME_PRIORITY),
        later_priority=step(_LATER_PRIORITY),
    )
