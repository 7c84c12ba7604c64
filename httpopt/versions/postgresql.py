"""Statement triggers with transition tables for PostgreSQL.

A trigger with transition tables has one event, so each table has three triggers. The shard is the
process id of the backend, so that two open transactions never wait for the same counter.
"""

# ruff: noqa: S608 -- identifiers are the quoted names of declared models, not input
from __future__ import annotations

from collections.abc import Callable, Iterator

from httpopt.versions.tracked import Touched, Tracked

Quote = Callable[[str], str]
_TABLES = {
    "INSERT": {"NEW": "new_rows"},
    "UPDATE": {"NEW": "new_rows", "OLD": "old_rows"},
    "DELETE": {"OLD": "old_rows"},
}


def triggers(tracked: Tracked, quote: Quote) -> Iterator[tuple[str, str]]:
    for event in tracked.events:
        tables = _TABLES[event]
        body = _raise_counter(tracked, event, list(tables.values()), quote)
        if tracked.touched:
            body += _touch(tracked.touched, list(tables.values()), quote)
        references = " ".join(f"{row} TABLE AS {name}" for row, name in tables.items())
        yield (
            _function(f"{body} RETURN NULL;"),
            f"CREATE TRIGGER {{name}} AFTER {event} ON {quote(tracked.table)} "
            f"REFERENCING {references} FOR EACH STATEMENT EXECUTE FUNCTION {{name}}()",
        )
    if tracked.item_version_column:
        version = quote(tracked.item_version_column)
        yield (
            _function(f"NEW.{version} := OLD.{version} + 1; RETURN NEW;"),
            f"CREATE TRIGGER {{name}} BEFORE UPDATE ON {quote(tracked.table)} "
            f"FOR EACH ROW EXECUTE FUNCTION {{name}}()",
        )


def _function(body: str) -> str:
    return (
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$httpopt$ BEGIN {body} END $httpopt$"
    )


def _raise_counter(tracked: Tracked, event: str, tables: list[str], quote: Quote) -> str:
    tenants = " UNION ".join(_tenants(tracked, table, quote) for table in tables)
    changed = _only_changed(tracked, quote) if event == "UPDATE" and tracked.only_columns else ""
    # Ordered by tenant, so that two statements cannot deadlock.
    return (
        f"INSERT INTO httpopt_counter AS counter (tenant, collection, shard, value) "
        f"SELECT DISTINCT tenant, '{tracked.collection}', pg_backend_pid(), 1 "
        f"FROM ({tenants}) AS tenants (tenant) WHERE tenant IS NOT NULL {changed}ORDER BY tenant "
        f"ON CONFLICT (tenant, collection, shard) DO UPDATE SET value = counter.value + 1;"
    )


def _tenants(tracked: Tracked, table: str, quote: Quote) -> str:
    column = tracked.tenant_column
    if column is None:
        # A statement that touched no row is not a change.
        return f"SELECT 0 WHERE EXISTS (SELECT FROM {table})"
    joins, before = "", "r"
    for place, (joined, key, pointer) in enumerate(column.joins):
        joins += (
            f" JOIN {quote(joined)} t{place} ON t{place}.{quote(key)} = {before}.{quote(pointer)}"
        )
        before = f"t{place}"
    return f"SELECT {before}.{quote(column.name)} FROM {table} r{joins}"


def _only_changed(tracked: Tracked, quote: Quote) -> str:
    """Compare the columns, because a trigger with transition tables cannot have a column list."""
    key = quote(tracked.key_column)
    new, old = (
        ", ".join(f"{row}.{quote(column)}" for column in tracked.only_columns)
        for row in ("new_rows", "old_rows")
    )
    return (
        f"AND EXISTS (SELECT FROM new_rows FULL JOIN old_rows ON new_rows.{key} = old_rows.{key}"
        f" WHERE ROW({new}) IS DISTINCT FROM ROW({old})) "
    )


def _touch(touched: Touched, tables: list[str], quote: Quote) -> str:
    """Raise the version of the rows. Lock them in key order, so that two statements cannot deadlock."""
    table, key, plain = quote(touched.table), quote(touched.key), quote(touched.plain)
    pointers = " UNION ".join(f"SELECT {quote(touched.pointer)} FROM {name}" for name in tables)
    rows = f"FROM {table} WHERE {key} IN ({pointers})"
    return (
        f"PERFORM {rows} ORDER BY {key} FOR NO KEY UPDATE; "
        f"UPDATE {table} SET {plain} = {plain} WHERE {key} IN ({pointers});"
    )
