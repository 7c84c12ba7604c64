"""Queries that every request runs, compiled to SQL once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet, Value

_M = TypeVar("_M", bound=Model)
_R = TypeVar("_R")
_Converters = Mapping[int, tuple[list[Callable[..., Any]], Any]]


class Parameter(Value):
    """A value that each run of a prepared query gives: ``filter(church=Parameter("church"))``."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


class PreparedQuery(Generic[_R]):
    """A query that Django compiles once: compilation takes ten times the time of execution.

    ``template`` returns a queryset in which :class:`Parameter` stands for the values of a run. All other
    values stay as they were at the first run. Each run names its parameters: ``rows(church=1)``.
    """

    def __init__(self, template: Callable[[], QuerySet[Any, _R]]) -> None:
        self._template = template
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """Return the rows as tuples of the selected columns, with Django's Python types."""
        compiled = self._for_this_database()
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, compiled.values(given))
            found: list[tuple[Any, ...]] = cursor.fetchall()
        converters = compiled.converters
        return [_converted(row, converters) for row in found] if converters else found

    def objects(self, **given: Any) -> list[_R]:
        """Return the rows as the queryset would: instances with their annotations and joined rows."""
        return list(self._for_this_database().queryset(given))

    def first(self, **given: Any) -> _R | None:
        """Return the first of ``objects``, or None."""
        return next(iter(self.objects(**given)), None)

    def _for_this_database(self) -> _Compiled:
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = _Compiled(self._template())
        return compiled


class _Compiled:
    """The SQL of a queryset for one kind of database."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        self._queryset = queryset
        self._compiler = queryset.query.get_compiler(connection=connection)
        self.sql, values = self._compiler.as_sql()
        self._values = tuple(values)
        columns_read = [column for column, *_ in self._compiler.select]
        self.converters: _Converters = self._compiler.get_converters(columns_read)

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values of the statement, with the values of this run."""
        return tuple(
            _stored(given[value.value]) if isinstance(value, Parameter) else value
            for value in self._values
        )

    def queryset(self, given: Mapping[str, Any]) -> QuerySet[Any, Any]:
        """Return a queryset with the statement. Django runs it and makes the instances.

        Django asks the query for a compiler, and the compiler for its SQL: both answers are known. Both
        objects are copied, because other threads run the same statement with other values.
        """
        statement = self.sql, self.values(given)
        compiler, query = copy(self._compiler), copy(self._queryset.query)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: statement
        query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign] # of this copy
        found = type(self._queryset)(self._queryset.model, query)
        found._iterable_class = self._queryset._iterable_class
        return found


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


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
