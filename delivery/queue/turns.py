"""The order of serving: replies before bulk, and tenants in rotation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from delivery.models import Message, Priority
from delivery.models.queue import DUE_STATUSES
from delivery.providers import registry

# Hops from tenant to tenant along the index "message_due_by_provider" instead of reading every due
# row. Without MIN(), which PostgreSQL before 18 does not have for UUIDs.
_TENANTS_WAITING = """
WITH RECURSIVE waiting(tenant_id) AS (
    SELECT (
        SELECT tenant_id FROM {table} WHERE {waits} AND priority = %s AND provider = %s
        ORDER BY tenant_id LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT tenant_id FROM {table}
        WHERE {waits} AND priority = %s AND provider = %s AND tenant_id > waiting.tenant_id
        ORDER BY tenant_id LIMIT 1
    )
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT tenant_id FROM waiting
WHERE tenant_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM {table} AS message
    WHERE {waits} AND message.tenant_id = waiting.tenant_id
    AND message.priority = %s AND message.provider = %s AND message.next_attempt_at <= %s
)
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """The due messages of one tenant, of one priority, through one provider account."""

    tenant_id: Any
    """Has the type of the host's key: an integer, a UUID, a text."""
    priority: Priority
    provider: str
    """The alias of the account."""


class Turns:
    """Remembers, for one worker, which tenant was served last of each priority."""

    def __init__(self) -> None:
        self._last: dict[Priority, tuple[Any, str]] = {}

    def now(self, now: datetime) -> Iterator[Turn]:
        """Yield the turns with due messages, in the order of serving."""
        for priority in Priority:
            due = sorted(
                (tenant, alias)
                for alias in registry.aliases()
                for tenant in _tenants_due(priority, alias, now)
            )
            last = self._last.get(priority)
            after = [found for found in due if last is None or found > last]
            before = [found for found in due if last is not None and found <= last]
            for tenant, alias in after + before:
                yield Turn(tenant, priority, alias)

    def served(self, turn: Turn) -> None:
        self._last[turn.priority] = turn.tenant_id, turn.provider


def tenants_due(now: datetime, aliases: Sequence[str] | None = None) -> list[Any]:
    """Return the keys of the tenants with due messages, of some provider accounts or of all."""
    return [
        tenant
        for priority in Priority
        for alias in (registry.aliases() if aliases is None else aliases)
        for tenant in _tenants_due(priority, alias, now)
    ]


def _tenants_due(priority: Priority, alias: str, now: datetime) -> list[Any]:
    waits = "status IN ({})".format(", ".join(f"'{status}'" for status in DUE_STATUSES))
    sql = _TENANTS_WAITING.format(table=Message._meta.db_table, waits=waits)
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(sql, [priority, alias, priority, alias, priority, alias, moment])
        # SQLite gives a UUID as 32 letters.
        key = Message._meta.get_field("tenant").target_field
        return [key.to_python(tenant_id) for (tenant_id,) in cursor.fetchall()]
