"""Read the counts of batches."""

# ruff: noqa: S608 -- names and statuses of ours; keys are integers
from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import connections

from delivery.batches.triggers import COUNTS, MESSAGES
from delivery.batches.upkeep import MARK
from delivery.models import BatchCount
from delivery.statuses import ON_ITS_WAY, UNFINISHED, Status

_COMPLETE = f"EXISTS (SELECT 1 FROM {COUNTS} WHERE batch = {MARK['batch']})"
# By the index of ``WATCHED`` and not by that of the batch (``+batch``): the few messages in flight, not all
# of the batch. SQLite uses a partial index only where the query repeats its condition.
_WATCHED = "(status IN ('accepted', 'dead', 'sending', 'sent', 'unknown') OR asks_to_stop)"
_SENDING = (
    f"FROM {MESSAGES} WHERE {_WATCHED} AND status = '{Status.SENDING.value}'"
    " AND +batch IN ({keys})"
)
_KEPT = (
    "SELECT batch, status, sum(number) FROM ("
    f"SELECT batch, status, number FROM {COUNTS} WHERE batch IN ({{keys}}, {MARK['batch']})"
    # The counts have these messages with their status before the claim.
    f" UNION ALL SELECT batch, status, 1 {_SENDING}"
    f" UNION ALL SELECT batch, claimed_from, -1 {_SENDING}"
    ") AS counted GROUP BY batch, status"
)
_COUNTED = (
    f"SELECT batch, status, count(*) FROM {MESSAGES} WHERE batch IN ({{keys}})"
    " GROUP BY batch, status"
)
_OPEN = ", ".join(f"'{status.value}'" for status in sorted(UNFINISHED | ON_ITS_WAY))
_FINISHED = (
    f"CASE WHEN {_COMPLETE} THEN NOT EXISTS (SELECT 1 FROM {COUNTS} counted"
    f" WHERE counted.batch = {{batch}} AND counted.status IN ({_OPEN})"
    " GROUP BY counted.batch HAVING sum(counted.number) > 0)"
    f" ELSE NOT EXISTS (SELECT 1 FROM {MESSAGES} one"
    f" WHERE one.batch = {{batch}} AND one.status IN ({_OPEN})) END"
)


def counts_of(batches: Iterable[int]) -> dict[int, dict[str, int]]:
    """Return the number of messages per status of each batch, without zeros."""
    wanted = sorted({int(batch) for batch in batches})
    counts: dict[int, dict[str, int]] = {batch: {} for batch in wanted}
    if not wanted:
        return counts
    rows = _read(_KEPT, wanted)
    if not any(batch == MARK["batch"] for batch, _, _ in rows):
        # ``migrate`` has not ended: the messages know.
        rows = _read(_COUNTED, wanted)
    for batch, status, number in rows:
        if number and batch in counts:
            counts[batch][status] = int(number)
    return counts


def finished(batch: str) -> str:
    """Return the SQL condition that no message of the batch is unfinished or on its way.

    ``batch`` is an SQL expression.
    """
    return _FINISHED.format(batch=batch)


def _read(sql: str, batches: Collection[int]) -> list[tuple[int, str, int]]:
    # Keys in the statement, because it holds them three times.
    statement = sql.format(keys=", ".join(str(batch) for batch in batches))
    with connections[BatchCount.objects.db].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
