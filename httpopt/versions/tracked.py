"""Declare the tables that count as changes of a collection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db import models


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the tracked table, or of one reached through foreign keys from it."""

    joins: tuple[tuple[str, str, str], ...]
    """``(table, its key column, column of the previous table that points at it)``, outwards."""
    name: str
    is_integer: bool = True


@dataclass(frozen=True, kw_only=True)
class Touched:
    """The table whose rows ``touches`` names."""

    table: str
    key: str
    pointer: str
    """The column of the tracked table that points at ``key``."""
    plain: str
    """A column outside each key. An update of a key column locks the row against references to it."""


@dataclass(frozen=True)
class Tracked:
    """A table; its changes raise the counter of ``collection`` of the row's tenant.

    ``tenant`` is a path to an integer column, maybe through foreign keys (``"member__church"``).
    None counts the change for every tenant, as tenant 0.
    ``only`` names the fields to count. Inserts then count only with ``inserts``: most answers did not
    name the row before, but one may show a value for a row that does not exist yet.
    ``item_version`` names the field that each UPDATE of a row raises.
    ``touches`` names a foreign key. A change of this row raises the item version of that row.
    """

    model: type[models.Model]
    collection: str
    tenant: str | None
    only: tuple[str, ...] = ()
    inserts: bool = False
    item_version: str | None = None
    touches: str | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def tenant_column(self) -> Column | None:
        """Return the column of ``tenant``; raise FieldDoesNotExist or ValueError for a wrong path."""
        return None if self.tenant is None else _resolve(self.model, self.tenant)

    @cached_property
    def only_columns(self) -> tuple[str, ...]:
        return tuple(_column(self.model, name) for name in self.only)

    @property
    def events(self) -> tuple[str, ...]:
        counts_inserts = self.inserts or not self.only
        return ("INSERT", "UPDATE", "DELETE") if counts_inserts else ("UPDATE", "DELETE")

    @cached_property
    def key_column(self) -> str:
        return _key(self.model)

    @cached_property
    def item_version_column(self) -> str | None:
        return _column(self.model, self.item_version) if self.item_version else None

    @cached_property
    def touched(self) -> Touched | None:
        if self.touches is None:
            return None
        target = _target(self.model._meta.get_field(self.touches))
        return Touched(
            table=target._meta.db_table,
            key=_key(target),
            pointer=_column(self.model, self.touches),
            plain=_plain(target),
        )


def _resolve(model: type[models.Model], path: str) -> Column:
    *through, last = path.split("__")
    joins = []
    for name in through:
        target = _target(model._meta.get_field(name))
        joins.append((target._meta.db_table, _key(target), _column(model, name)))
        model = target
    return Column(
        joins=tuple(joins), name=_column(model, last), is_integer=_is_integer(model, last)
    )


def _is_integer(model: type[models.Model], name: str) -> bool:
    field = model._meta.get_field(name)
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return isinstance(field, models.IntegerField)


def _target(field: object) -> type[models.Model]:
    if not isinstance(field, models.ForeignKey):
        raise ValueError(f"{field} is not a foreign key.")
    target: type[models.Model] = field.related_model
    return target


def _column(model: type[models.Model], name: str) -> str:
    field = model._meta.get_field(name)
    column = getattr(field, "column", None)
    if not isinstance(column, str):
        raise ValueError(f"{field} has no column.")
    return column


def _plain(model: type[models.Model]) -> str:
    """Return a column that no unique index holds; raise ValueError if there is none."""
    together = {name for names in model._meta.total_unique_constraints for name in names.fields}
    together |= {name for names in model._meta.unique_together for name in names}
    for field in model._meta.concrete_fields:
        if not field.unique and field.name not in together:
            return str(field.column)
    raise ValueError(f"{model.__name__} has no column outside its keys.")


def _key(model: type[models.Model]) -> str:
    return str(model._meta.pk.column)
