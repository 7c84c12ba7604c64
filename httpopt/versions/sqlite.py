"""Row triggers for SQLite. SQLite has one writer at a time, so one shard is enough."""

# ruff: noqa: S608 -- identifiers are the quoted names of declared models, not input
from __future__ import annotations

from collections.abc import Callable, Iterator

from httpopt.versions.tracked import Column, Touched, Tracked

Quote = Callable[[str], str]
_ROWS = {"INSERT": ("NEW",), "UPDATE": ("NEW", "OLD"), "DELETE": ("OLD",)}


def triggers(tracked: Tracked, quote: Quote) -> Iterator[tuple[str]]:
    for event in tracked.events:
        rows = _ROWS[event]
        body = [_raise_counter(tracked, row, rows, quote) for row in rows]
        body += [_touch(tracked.touched, row, quote) for row in rows if tracked.touched]
        yield (_trigger(tracked, f"AFTER {event}{_of(tracked, event, quote)}", "", body, quote),)
    if tracked.item_version_column:
        yield (_raise_item_version(tracked, tracked.item_version_column, quote),)


def _trigger(tracked: Tracked, when: str, condition: str, body: list[str], quote: Quote) -> str:
    inner = " ".join(f"{statement};" for statement in body)
    return (
        f"CREATE TRIGGER {{name}} {when} ON {quote(tracked.table)} "
        f"FOR EACH ROW {condition} BEGIN {inner} END"
    )


def _of(tracked: Tracked, event: str, quote: Quote) -> str:
    if event != "UPDATE" or not tracked.only_columns:
        return ""
    return " OF " + ", ".join(quote(column) for column in tracked.only_columns)


def _raise_counter(tracked: Tracked, row: str, rows: tuple[str, ...], quote: Quote) -> str:
    tenant = _tenant(tracked.tenant_column, row, quote)
    # An update that keeps the tenant counts once.
    moved = f" AND {tenant} IS NOT {_tenant(tracked.tenant_column, 'NEW', quote)}"
    return (
        f"INSERT INTO httpopt_counter (tenant, collection, shard, value) "
        f"SELECT {tenant}, '{tracked.collection}', 0, 1 "
        f"WHERE {tenant} IS NOT NULL{moved if len(rows) == 2 and row == 'OLD' else ''} "
        f"ON CONFLICT (tenant, collection, shard) DO UPDATE SET value = value + 1"
    )


def _tenant(column: Column | None, row: str, quote: Quote) -> str:
    if column is None:
        return "0"
    if not column.joins:
        return f"{row}.{quote(column.name)}"
    (table, key, pointer), *rest = column.joins
    joins, before = "", "t0"
    for place, (joined, joined_key, joined_pointer) in enumerate(rest, 1):
        joins += (
            f" JOIN {quote(joined)} t{place}"
            f" ON t{place}.{quote(joined_key)} = {before}.{quote(joined_pointer)}"
        )
        before = f"t{place}"
    return (
        f"(SELECT {before}.{quote(column.name)} FROM {quote(table)} t0{joins}"
        f" WHERE t0.{quote(key)} = {row}.{quote(pointer)})"
    )


def _touch(touched: Touched, row: str, quote: Quote) -> str:
    plain = quote(touched.plain)
    return (
        f"UPDATE {quote(touched.table)} SET {plain} = {plain}"
        f" WHERE {quote(touched.key)} = {row}.{quote(touched.pointer)}"
    )


def _raise_item_version(tracked: Tracked, version: str, quote: Quote) -> str:
    """Raise the version after the update, because SQLite cannot change NEW.

    The new version comes from OLD: a stale ``save()`` writes a stale version.
    """
    raised = f"OLD.{quote(version)} + 1"
    update = (
        f"UPDATE {quote(tracked.table)} SET {quote(version)} = {raised}"
        f" WHERE {quote(tracked.key_column)} = NEW.{quote(tracked.key_column)}"
    )
    condition = f"WHEN NEW.{quote(version)} IS NOT {raised}"
    return _trigger(tracked, "AFTER UPDATE", condition, [update], quote)
