"""Queries that every request runs, compiled to SQL once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

_M = TypeVar("_M", bound=Model)
_Converters = Mapping[int, tuple[list[Callable[..., Any]], Any]]


class PreparedQuery:
    """A query that Django compiles once: compilation takes ten times the time of execution.

    ``template`` returns a ``values_list`` with placeholder values in its filters. ``rows`` replaces
    them in the order of the calls of ``filter``; one call sorts several values by name. Values of
    annotations come before them. Filters with a fixed value come last: Django 6.1 compiles a boolean
    to a parameter, Django 5.2 to bare SQL. ``ordered`` keeps the ORDER BY of the query.
    """

    def __init__(
        self, template: Callable[[], QuerySet[Any, Any]], *, ordered: bool = False
    ) -> None:
        self._template, self._ordered = template, ordered
        self._compiled: dict[str, tuple[str, tuple[Any, ...], _Converters]] = {}

    def rows(self, *parameters: Any) -> list[tuple[Any, ...]]:
        sql, values, converters = self._compiled.get(connection.vendor) or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(sql, (*parameters, *values[len(parameters) :]))
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return [_converted(row, converters) for row in found] if converters else found

    def _compile(self) -> tuple[str, tuple[Any, ...], _Converters]:
        rows = self._template()
        query = (rows if self._ordered else rows.order_by()).query
        compiler = query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        compiled = self._compiled[connection.vendor] = sql, tuple(values), converters
        return compiled


def _converted(row: tuple[Any, ...], converters: _Converters) -> tuple[Any, ...]:
    """Return the row with Django's Python types; SQLite stores booleans and times as other types."""
    values = list(row)
    for position, (functions, column) in converters.items():
        for convert in functions:
            values[position] = convert(values[position], column, connection)
    return tuple(values)


@cache
def columns(model: type[Model]) -> tuple[str, ...]:
    """Return all columns of ``model``, in the order that ``from_db`` expects."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def from_columns(model: type[_M], values: Mapping[str, Any]) -> _M:
    """Return an instance as if it were read from the database; other columns load on first use."""
    names = [name for name in columns(model) if name in values]
    return model.from_db("default", names, [values[name] for name in names])
