"""The columns of a tally, and the statuses that each counts, as SQL that both databases understand."""

from __future__ import annotations

from delivery.models import Tally
from delivery.statuses import Status

QUARTER_SECONDS = 900

SENT = (
    Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNCONFIRMED, Status.FAILED,
)  # fmt: skip
DEAD = (Status.DEAD, Status.UNKNOWN)
COUNTED = (*SENT, *DEAD)
"""A message with another status is in no column."""

TABLE = Tally._meta.db_table
OF_QUARTER = ("sent", "delivered", "failed", "dead")
"""Counted in the quarter of the message."""
WAITING = ("waiting_dead", "waiting_unknown")
"""Counted in quarter 0, whatever the age of the message: nobody asks since when they wait."""
COLUMNS = (*OF_QUARTER, *WAITING)


def in_column(column: str, row: str) -> str:
    """Return the condition for a message to be counted in ``column``; ``row`` is its alias."""
    status = f"{row}.status"
    kept = f"{row}.discarded_at IS NULL"
    return {
        "sent": f"{status} IN ({literals(SENT)})",
        "delivered": f"{status} = '{Status.DELIVERED.value}'",
        "failed": f"{status} = '{Status.FAILED.value}'",
        "dead": f"{status} IN ({literals(DEAD)})",
        "waiting_dead": f"({status} = '{Status.DEAD.value}' AND {kept})",
        "waiting_unknown": f"({status} = '{Status.UNKNOWN.value}' AND {kept})",
    }[column]


def literals(statuses: tuple[Status, ...]) -> str:
    return ", ".join(f"'{status.value}'" for status in statuses)


def add(*, of_all: bool, source: str) -> str:
    """Return the statement that adds the rows of ``source`` to the tallies of a tenant, or of all.

    ``source`` selects tenant (not for all), quarter, shard and the columns, in this order.
    """
    key = ("quarter", "shard") if of_all else ("tenant_id", "quarter", "shard")
    raised = ", ".join(f"{column} = {TABLE}.{column} + excluded.{column}" for column in COLUMNS)
    return (
        f"INSERT INTO {TABLE} ({', '.join((*key, *COLUMNS))}) {source} "
        f"ON CONFLICT ({', '.join(key)}) WHERE tenant_id IS {'' if of_all else 'NOT '}NULL "
        f"DO UPDATE SET {raised}"
    )
