"""The fast path: turn rows of columns into dicts, without model instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import itemgetter
from typing import Any

from django.db.models import ForeignKey, Model, QuerySet
from django.utils.timezone import get_current_timezone
from rest_framework import serializers
from rest_framework.relations import PrimaryKeyRelatedField
from rest_framework.settings import api_settings

from httpopt.fields.read_set import Computed

Row = Mapping[str, Any]
Table = Mapping[str, list[Any]]
"""The rows of a page by column."""
Reader = Callable[[Table], list[Any]]
"""Returns one representation for each row."""

_UTC_SECONDS = "%Y-%m-%dT%H:%M:%SZ"

# These fields represent a value from the database as the value itself.
_UNCHANGED = (
    serializers.CharField,
    serializers.IntegerField,
    serializers.BooleanField,
    serializers.FloatField,
    serializers.JSONField,
    serializers.EmailField,
    serializers.SlugField,
    serializers.URLField,
)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Represents rows of ``QuerySet.values(*columns)``."""

    columns: tuple[str, ...]
    read: Reader

    def values_from(self, queryset: QuerySet[Any], also: Iterable[str]) -> QuerySet[Any, Any]:
        """Return the queryset of such rows, with the columns ``also`` for paging."""
        return queryset.select_related(None).prefetch_related(None).values(*self.columns, *also)

    def represent(self, rows: Sequence[Row]) -> list[Any]:
        """Represent column by column: a call for each value would take most of the time."""
        return self.read({name: [row[name] for row in rows] for name in self.columns})


class _NotPlainError(Exception):
    """A field needs more than columns."""


def row_reader_of(
    serializer: serializers.Serializer[Any], model: type[Model], annotations: frozenset[str]
) -> RowReader | None:
    """Return None if a field needs more than columns of the row and of joined rows."""
    columns: dict[str, None] = {}
    try:
        read = _reader(serializer, model, "", columns, annotations)
    except _NotPlainError:
        return None
    return RowReader(tuple(columns), read)


def _reader(
    serializer: serializers.Serializer[Any],
    model: type[Model],
    prefix: str,
    columns: dict[str, None],
    annotations: frozenset[str],
) -> Reader:
    if type(serializer).to_representation is not serializers.Serializer.to_representation and (
        type(serializer).to_representation is not serializers.ModelSerializer.to_representation
    ):
        raise _NotPlainError
    names = tuple(serializer.fields)
    if not names:
        raise _NotPlainError
    readers = [
        _field_reader(field, model, prefix, columns, annotations)
        for field in serializer.fields.values()
    ]

    def read(table: Table) -> list[Any]:
        values = [field(table) for field in readers]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    return read


def _field_reader(
    field: Any,
    model: type[Model],
    prefix: str,
    columns: dict[str, None],
    annotations: frozenset[str],
) -> Reader:
    if isinstance(field, Computed):
        return _computed(field, model, prefix, columns)
    if isinstance(field, serializers.Serializer):
        return _joined(field, model, prefix, columns)
    if type(field).get_attribute is not serializers.Field.get_attribute and not isinstance(
        field, PrimaryKeyRelatedField
    ):
        raise _NotPlainError
    if field.source in annotations and not prefix:
        return _converted(field, _use(columns, field.source))
    return _column(field, model, prefix, columns)


def _column(field: Any, model: type[Model], prefix: str, columns: dict[str, None]) -> Reader:
    path = _path(model, tuple(field.source_attrs), may_be_null=bool(field.allow_null))
    reader = _use(columns, f"{prefix}{path}")
    if isinstance(field, PrimaryKeyRelatedField):
        if field.pk_field is not None:
            raise _NotPlainError
        return reader
    return _converted(field, reader)


def _converted(field: Any, get: Reader) -> Reader:
    if _is_unchanged(field):
        return get
    if isinstance(field, serializers.RelatedField | serializers.BaseSerializer):
        raise _NotPlainError
    if isinstance(field, serializers.ManyRelatedField | serializers.SerializerMethodField):
        raise _NotPlainError
    represent = _whole_seconds if _is_in_whole_utc_seconds(field) else field.to_representation
    return lambda table: [None if one is None else represent(one) for one in get(table)]


def _is_unchanged(field: Any) -> bool:
    """Return True if the field represents a value of the database as the value itself."""
    if type(field) is serializers.ListField:
        return type(field.child) in _UNCHANGED
    if type(field) is serializers.ChoiceField:
        return all(type(value) is str for value in field.choices)
    return type(field) in _UNCHANGED


def _is_in_whole_utc_seconds(field: Any) -> bool:
    """Return True for the format that needs no strftime, which dominates a list of many times."""
    wanted = getattr(field, "format", api_settings.DATETIME_FORMAT)
    zone = getattr(field, "timezone", None) or get_current_timezone()
    # Django's zone of the name UTC does not equal the UTC of Python.
    in_utc = str(zone) == "UTC"
    return type(field) is serializers.DateTimeField and wanted == _UTC_SECONDS and in_utc


def _whole_seconds(value: datetime) -> str:
    return value.isoformat()[:19] + "Z"


def _computed(field: Computed, model: type[Model], prefix: str, columns: dict[str, None]) -> Reader:
    above = tuple(field.source_attrs)
    paths = [
        _path(model, (*above, *column.split("__")), may_be_null=False) for column in field.columns
    ]
    getters = [_use(columns, f"{prefix}{path}") for path in paths]
    compute = field.compute
    return lambda table: list(map(compute, *(get(table) for get in getters)))


def _joined(
    nested: serializers.Serializer[Any],
    model: type[Model],
    prefix: str,
    columns: dict[str, None],
) -> Reader:
    """Read a nested serializer over one foreign key; represent a null key as None."""
    pointer = _foreign_key(model, nested.source or "")
    present = f"{prefix}{pointer.attname}"
    _use(columns, present)
    below = f"{prefix}{pointer.name}__"
    inner: dict[str, None] = {}
    read = _reader(nested, pointer.related_model, below, inner, frozenset())
    if not getattr(pointer, "db_constraint", True):
        present = below + _column_of_the_join(pointer.related_model, below, inner)
    columns.update(inner)

    def read_present(table: Table) -> list[Any]:
        keys = table[present]
        if None not in keys:
            return read(table)
        there = [key is not None for key in keys]
        found = iter(read({name: list(compress(table[name], there)) for name in inner}))
        return [next(found) if one else None for one in there]

    return read_present


def _column_of_the_join(model: type[Model], below: str, columns: Iterable[str]) -> str:
    """Return a column that is null only if the join finds no row: the key may name a deleted one.

    Not the primary key, which ``values()`` takes from the row that points at it.
    """
    for field in model._meta.concrete_fields:
        if not field.null and not field.primary_key and f"{below}{field.attname}" in columns:
            return field.attname
    raise _NotPlainError


def _path(model: type[Model], names: tuple[str, ...], *, may_be_null: bool) -> str:
    """Return the path for ``values()``; raise if it does not lead to a column by foreign keys."""
    *through, last = names or ("",)
    path = []
    for name in through:
        pointer = _foreign_key(model, name)
        if pointer.null and not may_be_null:
            # DRF leaves the field out or fails here: let the serializer do it.
            raise _NotPlainError
        path.append(pointer.name)
        model = pointer.related_model
    column = next(
        (one for one in model._meta.concrete_fields if last in (one.name, one.attname)), None
    )
    if last == "pk":
        column = model._meta.pk
    if column is None:
        raise _NotPlainError
    return "__".join([*path, column.attname])


def _foreign_key(model: type[Model], name: str) -> ForeignKey[Any, Any]:
    for field in model._meta.concrete_fields:
        if field.name == name and isinstance(field, ForeignKey):
            return field
    raise _NotPlainError


def _use(columns: dict[str, None], path: str) -> Reader:
    columns[path] = None
    return itemgetter(path)
