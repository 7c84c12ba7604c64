"""Read the counters, and fold their shards."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Model, QuerySet

from httpopt.models import Counter

Scope = Mapping[str, "int | QuerySet[Model]"]
"""Collections, each with its tenant or with a queryset of tenant ids.

Changes of tenant 0 count for every tenant.
"""

_EPOCH_BITS = 52
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of the data when they were read."""

    collections: str
    """Epoch and counts, as an opaque text."""
    item: int | None = None
    """The version of the item, if it has one."""

    def __str__(self) -> str:
        return self.collections if self.item is None else f"{self.item}.{self.collections}"


def read(scope: Scope, item: QuerySet[Model] | None = None) -> Versions:
    """Read the versions in one query. ``item`` selects the version column of one row."""
    using = router.db_for_read(Counter)
    sql, values = _statement(scope, item, using)
    # SQL by hand: this query is most of a 304, and the ORM would take longer than the database.
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[str, int, int]] = cursor.fetchall()
    own = [int(total) for collection, _, total in rows if collection == _ITEM]
    counted = [row for row in rows if row[0] != _ITEM]
    return Versions(_text(counted), own[0] if own else None)


_ITEM = "#item"


def _statement(scope: Scope, item: QuerySet[Model] | None, using: str) -> tuple[str, list[Any]]:
    wanted, values = ["(tenant = 0 AND collection = '')"], []
    for collection, tenant in scope.items():
        tenants, given = _inner(tenant, using)
        wanted.append(f"((tenant = 0 OR tenant IN ({tenants})) AND collection = %s)")
        values += [*given, collection]
    sql = (
        "SELECT collection, tenant, SUM(value) FROM httpopt_counter"  # noqa: S608 -- parameters and compiled queries
        f" WHERE {' OR '.join(wanted)} GROUP BY collection, tenant"
    )
    if item is not None:
        inner, given = _inner(item, using)
        sql += f" UNION ALL SELECT '{_ITEM}', 0, item.* FROM ({inner}) AS item"  # noqa: S608 -- a compiled query
        values += given
    return sql, values


def _inner(what: int | QuerySet[Model], using: str) -> tuple[str, list[Any]]:
    if isinstance(what, int):
        return "%s", [what]
    sql, values = what.order_by().query.get_compiler(using=using).as_sql()
    return sql, list(values)


def _text(rows: list[tuple[str, int, int]]) -> str:
    rows.sort()
    epoch = next((total for collection, _, total in rows if not collection), 0)
    counts = [(collection, tenant, int(total)) for collection, tenant, total in rows if collection]
    digest = hashlib.blake2b(repr(counts).encode(), digest_size=8).hexdigest()
    return f"e{_base36(int(epoch))}.{digest}"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def begin_epoch(*, using: str | None = None, renew: bool = False) -> None:
    """Make sure that there is an epoch. Renew it after a restore, which also restores counters."""
    epoch: dict[str, Any] = {"tenant": 0, "collection": "", "shard": 0}
    number = {"value": secrets.randbits(_EPOCH_BITS)}
    manager = Counter.objects.using(using or router.db_for_write(Counter))
    if renew:
        manager.update_or_create(**epoch, defaults=number)
    else:
        manager.get_or_create(**epoch, defaults=number)


_FOLD = """
WITH gone AS (
    DELETE FROM httpopt_counter WHERE (tenant, collection, shard) IN (
        SELECT tenant, collection, shard FROM httpopt_counter
        WHERE shard <> 0 ORDER BY tenant, collection, shard FOR UPDATE SKIP LOCKED
    ) RETURNING tenant, collection, value
)
INSERT INTO httpopt_counter AS counter (tenant, collection, shard, value)
SELECT tenant, collection, 0, sum(value) FROM gone GROUP BY tenant, collection ORDER BY 1, 2
ON CONFLICT (tenant, collection, shard) DO UPDATE SET value = counter.value + excluded.value
"""


def compact(*, using: str | None = None) -> int:
    """Fold the shards that no open transaction holds into one, and return how many rows it saved.

    No sum changes. Only PostgreSQL has shards.
    """
    alias = using or router.db_for_write(Counter)
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return 0
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        before = Counter.objects.using(alias).count()
        cursor.execute(_FOLD)
        return before - Counter.objects.using(alias).count()
