"""The triggers on the table of messages that keep the tallies, for both databases."""

# ruff: noqa: S608 -- names and statuses of ours, no input
from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from delivery.kept_counts import Trigger, named
from delivery.models import Message
from delivery.tallies.counted import (
    COLUMNS,
    COUNTED,
    DEAD,
    OF_QUARTER,
    QUARTER_SECONDS,
    TABLE,
    WAITING,
    add,
    in_column,
    literals,
)

PREFIX = "delivery_tally_"
_MESSAGES = Message._meta.db_table
_TABLES = {
    "INSERT": {"new_rows": ("NEW", 1)},
    "UPDATE": {"new_rows": ("NEW", 1), "old_rows": ("OLD", -1)},
    "DELETE": {"old_rows": ("OLD", -1)},
}


def declared(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return the triggers for this database."""
    make: Callable[[], Iterator[tuple[str, ...]]] = (
        _postgresql if connection.vendor == "postgresql" else _sqlite
    )
    return [named(PREFIX, templates) for templates in make()]


def quarter(row: str, vendor: str) -> str:
    """Return the SQL of the quarter of an hour of a message's creation."""
    if vendor == "postgresql":
        return f"floor(extract(epoch FROM {row}.created_at) / {QUARTER_SECONDS})::bigint"
    return f"CAST(strftime('%s', {row}.created_at) AS INTEGER) / {QUARTER_SECONDS}"


def _postgresql() -> Iterator[tuple[str, ...]]:
    """Yield statement triggers. A statement pays once, for any number of rows."""
    for event, tables in _TABLES.items():
        changed = " UNION ALL ".join(
            f"SELECT r.tenant_id, {at} AS quarter, {sign} AS sign, {waits} AS waits,"
            f" r.status, r.discarded_at FROM {table} r WHERE r.status IN ({literals(statuses)})"
            for table, (_, sign) in tables.items()
            for at, waits, statuses in (
                (quarter("r", "postgresql"), False, COUNTED),
                ("0", True, DEAD),
            )
        )
        sums = ", ".join(
            f"coalesce(sum(sign) FILTER (WHERE waits = {column in WAITING}"
            f" AND {in_column(column, 'changed')}), 0) AS {column}"
            for column in COLUMNS
        )
        differs = " OR ".join(f"{column} <> 0" for column in COLUMNS)
        body = ""
        for of_all in (False, True):
            keys = "quarter" if of_all else "tenant_id, quarter"
            # In one order, so that two statements of a backend and a fold cannot deadlock.
            body += add(
                of_all=of_all,
                source=f"SELECT {keys}, pg_backend_pid(), {', '.join(COLUMNS)} FROM ("
                f"SELECT {keys}, {sums} FROM ({changed}) AS changed GROUP BY {keys}) AS summed "
                f"WHERE {differs} ORDER BY {keys}",
            )
            body += "; "
        references = " ".join(f"{row} TABLE AS {table}" for table, (row, _) in tables.items())
        yield (
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$tally$ BEGIN {body}RETURN NULL; END $tally$",
            f"CREATE TRIGGER {{name}} AFTER {event} ON {_MESSAGES} "
            f"REFERENCING {references} FOR EACH STATEMENT EXECUTE FUNCTION {{name}}()",
        )


def _sqlite() -> Iterator[tuple[str, ...]]:
    """Yield row triggers: SQLite has no others. What waits has its own: most texts never wait."""
    for columns in (OF_QUARTER, WAITING):
        new = _values(columns, "NEW")
        old = _values(columns, "OLD")
        is_new, is_old = _is_counted(new), _is_counted(old)
        deltas = [f"{after} - {before}" for after, before in zip(new, old, strict=True)]
        differs = " OR ".join(
            f"{after} <> {before}" for after, before in zip(new, old, strict=True) if after != "0"
        )
        waits = columns == WAITING
        yield _row_trigger("INSERT", is_new, _adds(new, waits))
        yield _row_trigger("UPDATE OF status, discarded_at", differs, _adds(deltas, waits))
        yield _row_trigger("DELETE", is_old, _takes(old, waits))


def _values(columns: tuple[str, ...], row: str) -> list[str]:
    """Return what the row counts in each column; ``0`` for those that other triggers keep."""
    return [f"({in_column(column, row)})" if column in columns else "0" for column in COLUMNS]


def _is_counted(values: list[str]) -> str:
    return " OR ".join(value for value in values if value != "0")


def _row_trigger(event: str, condition: str, body: str) -> tuple[str]:
    return (
        f"CREATE TRIGGER {{name}} AFTER {event} ON {_MESSAGES} "
        f"FOR EACH ROW WHEN {condition} BEGIN {body}END",
    )


def _adds(values: list[str], waits: bool) -> str:
    at = "0" if waits else quarter("NEW", "sqlite")
    # SQLite needs the WHERE clause to tell the conflict clause from a join.
    sources = (
        f"SELECT NEW.tenant_id, {at}, 0, {', '.join(values)} WHERE true",
        f"SELECT {at}, 0, {', '.join(values)} WHERE true",
    )
    return "".join(
        f"{add(of_all=of_all, source=source)}; "
        for of_all, source in zip((False, True), sources, strict=True)
    )


def _takes(values: list[str], waits: bool) -> str:
    """Return the statements that take a deleted message out of its rows.

    Rows that are gone stay gone: ``flush`` empties the tables in any order.
    """
    at = quarter("OLD", "sqlite")
    lowered = ", ".join(
        f"{column} = {column} - {value}" for column, value in zip(COLUMNS, values, strict=True)
    )
    body = ""
    for tenant in ("tenant_id = OLD.tenant_id", "tenant_id IS NULL"):
        kept = f"EXISTS (SELECT 1 FROM {TABLE} WHERE {tenant} AND quarter = {at})"
        found = "0" if waits else f"CASE WHEN {kept} THEN {at} ELSE 0 END"
        body += f"UPDATE {TABLE} SET {lowered} WHERE {tenant} AND quarter = {found}; "
    return body
