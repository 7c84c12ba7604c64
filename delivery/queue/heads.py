"""The first waiting message of each line: of one priority, provider account and tenant.

A line is sent in the order of its messages, so its head tells whether a message of it is due. The walk
from head to head costs the same however many messages wait in a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from delivery.models import Message
from delivery.models.columns import Columns
from delivery.models.queue import DUE_STATUSES

# Each step is one descent in the index "message_due_by_provider". Without LATERAL, which SQLite does
# not have, the walk carries ids.
_WALK = """
WITH RECURSIVE head(id) AS (
    SELECT (
        SELECT id FROM {table} WHERE {waits}
        ORDER BY priority, provider, tenant_id, next_attempt_at, id LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT later.id FROM {table} AS later
        WHERE later.{waits} AND (later.priority, later.provider, later.tenant_id)
            > (message.priority, message.provider, message.tenant_id)
        ORDER BY later.priority, later.provider, later.tenant_id, later.next_attempt_at, later.id
        LIMIT 1
    )
    FROM head JOIN {table} AS message ON message.id = head.id
)
SELECT {columns}
FROM head JOIN {table} AS message ON message.id = head.id
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
    waits = "status IN ({})".format(", ".join(f"'{status}'" for status in DUE_STATUSES))
    with connection.cursor() as cursor:
        cursor.execute(
            _WALK.format(table=Message._meta.db_table, waits=waits, columns=_COLUMNS.sql("message"))
        )
        found = cursor.fetchall()
    return [Head(*values) for values in _COLUMNS.values(found, using=connection.alias)]
