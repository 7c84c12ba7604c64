"""Make the counts of batches complete, and keep their table small."""

# ruff: noqa: S608 -- names and statuses of ours, no input
from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connections, router, transaction

from delivery.batches.triggers import COUNTS, MESSAGES, PREFIX, add, triggers, visible
from delivery.kept_counts import KeptCounts
from delivery.models import BatchCount

DELETED = -1
"""The shard with the counts of deleted messages: a batch keeps its counts when its messages go."""
MARK: dict[str, Any] = {"batch": -1, "status": "", "shard": 0, "number": 0}
_RECOUNT = add(
    "SELECT batch, status, 0, sum(number) FROM ("
    f"SELECT m.batch, {visible('m')} AS status, 1 AS number FROM {MESSAGES} m"
    " WHERE m.batch IS NOT NULL"
    f" UNION ALL SELECT batch, status, -number FROM {COUNTS} WHERE shard <> {DELETED}"
    ") AS compared WHERE true GROUP BY batch, status HAVING sum(number) <> 0 ORDER BY batch, status"
)
# Rows that an open transaction holds stay until the next time: waiting for them could deadlock.
_FOLD = f"""
WITH gone AS (
    DELETE FROM {COUNTS} WHERE id IN (
        SELECT id FROM {COUNTS} WHERE batch >= 0 AND (shard NOT IN (0, {DELETED}) OR number = 0)
        ORDER BY batch, status, shard FOR UPDATE SKIP LOCKED
    ) RETURNING batch, status, number
)
""" + add(
    "SELECT batch, status, 0, sum(number) FROM gone GROUP BY batch, status"
    " HAVING sum(number) <> 0 ORDER BY batch, status"
)
_DROP_EMPTY = f"DELETE FROM {COUNTS} WHERE batch >= 0 AND number = 0"


def recount(using: str) -> None:
    """Add the difference between the messages and their counts.

    The statement reads both in one snapshot. A transaction changes a message and its count together, so
    the difference is right whatever else is written meanwhile.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_RECOUNT)


def remember_deleted(counts: Mapping[tuple[int, str], int]) -> None:
    """Count messages that the caller's transaction deletes, by batch and status, as before."""
    if not counts:
        return
    values = ", ".join(["(%s, %s, %s, %s)"] * len(counts))
    rows = [(*key, DELETED, number) for key, number in sorted(counts.items())]
    with connections[router.db_for_write(BatchCount)].cursor() as cursor:
        cursor.execute(add(f"VALUES {values}"), [value for row in rows for value in row])


def forget(keys: Collection[int]) -> None:
    """Delete the counts of batches without messages."""
    BatchCount.objects.filter(batch__in=keys, batch__gte=0).delete()


kept = KeptCounts(prefix=PREFIX, model=BatchCount, triggers=triggers, mark=MARK, recount=recount)


def fold() -> int:
    """Add up the shards, and drop empty counts. Return how many rows that saved. No sum changes."""
    alias = router.db_for_write(BatchCount)
    connection = connections[alias]
    before = BatchCount.objects.using(alias).count()
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(_FOLD if connection.vendor == "postgresql" else _DROP_EMPTY)
    return before - BatchCount.objects.using(alias).count()
