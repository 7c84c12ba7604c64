"""The triggers on the table of messages that keep the counts of batches, for both databases."""

# ruff: noqa: S608 -- names and statuses of ours, no input
from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from delivery.kept_counts import Trigger, named
from delivery.models import BatchCount, Message
from delivery.statuses import Status

PREFIX = "delivery_batch_"
COUNTS = BatchCount._meta.db_table
MESSAGES = Message._meta.db_table

_TABLES = {
    "INSERT": {"new_rows": ("NEW", 1)},
    "UPDATE": {"new_rows": ("NEW", 1), "old_rows": ("OLD", -1)},
    "DELETE": {"old_rows": ("OLD", -1)},
}
_ADD = (
    f"ON CONFLICT (batch, status, shard) DO UPDATE SET number = {COUNTS}.number + excluded.number"
)


def triggers(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return the triggers for this database."""
    templates = _postgresql() if connection.vendor == "postgresql" else _sqlite()
    return [named(PREFIX, one) for one in templates]


def visible(row: str) -> str:
    """Return the expression for the status that users see."""
    return (
        f"CASE {row}.status WHEN '{Status.SENDING.value}' THEN {row}.claimed_from"
        f" ELSE {row}.status END"
    )


def add(source: str) -> str:
    """Return the statement that adds the rows of ``source`` (batch, status, shard, number)."""
    return f"INSERT INTO {COUNTS} (batch, status, shard, number) {source} {_ADD}"


def _postgresql() -> Iterator[tuple[str, ...]]:
    """Yield statement triggers: they cost once per statement, however many rows it changes."""
    for event, tables in _TABLES.items():
        changed = " UNION ALL ".join(
            f"SELECT r.batch, {visible('r')} AS status, {sign} AS sign FROM {table} r"
            " WHERE r.batch IS NOT NULL"
            for table, (_, sign) in tables.items()
        )
        # In one order, so that two statements and a fold cannot deadlock.
        body = add(
            f"SELECT batch, status, pg_backend_pid(), sum(sign) FROM ({changed}) AS changed "
            "GROUP BY batch, status HAVING sum(sign) <> 0 ORDER BY batch, status"
        )
        references = " ".join(f"{row} TABLE AS {table}" for table, (row, _) in tables.items())
        yield (
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$batch$ BEGIN {body}; RETURN NULL; END $batch$",
            f"CREATE TRIGGER {{name}} AFTER {event} ON {MESSAGES} "
            f"REFERENCING {references} FOR EACH STATEMENT EXECUTE FUNCTION {{name}}()",
        )


def _sqlite() -> Iterator[tuple[str, ...]]:
    """Yield row triggers: SQLite has no others."""
    differs = f"NEW.batch IS NOT OLD.batch OR {visible('NEW')} IS NOT {visible('OLD')}"
    yield _row_trigger("INSERT", "NEW.batch IS NOT NULL", _count("NEW", 1))
    yield _row_trigger(
        "UPDATE OF status, claimed_from, batch", differs, _count("NEW", 1) + _count("OLD", -1)
    )
    # A row that is gone stays gone: ``flush`` empties the tables in any order.
    yield _row_trigger(
        "DELETE",
        "OLD.batch IS NOT NULL",
        f"UPDATE {COUNTS} SET number = number - 1 WHERE batch = OLD.batch"
        f" AND status = {visible('OLD')} AND shard = 0; ",
    )


def _count(row: str, sign: int) -> str:
    source = f"SELECT {row}.batch, {visible(row)}, 0, {sign} WHERE {row}.batch IS NOT NULL"
    return add(source) + "; "


def _row_trigger(event: str, condition: str, body: str) -> tuple[str]:
    return (
        f"CREATE TRIGGER {{name}} AFTER {event} ON {MESSAGES} "
        f"FOR EACH ROW WHEN {condition} BEGIN {body}END",
    )
