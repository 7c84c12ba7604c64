"""Find the columns and relations that a serializer reads, so that the query selects only them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field as ModelField
from django.db.models import ForeignObject, Model
from django.db.models.fields.related import ForeignObjectRel, ManyToManyField
from rest_framework.relations import ManyRelatedField, RelatedField
from rest_framework.serializers import Field, ListSerializer, Serializer


class Computed(Field[Any, Any, Any, Any]):
    """A read-only serializer field that is computed from columns, without a model instance.

        name = Computed("first_name", "last_name", compute="{} {}".format)

    A column may lead through foreign keys (``member__first_name``). With ``source``, the columns
    belong to the row that ``source`` names.
    """

    def __init__(self, *columns: str, compute: Callable[..., Any], **kwargs: Any) -> None:
        kwargs["read_only"] = True
        kwargs.setdefault("source", "*")
        super().__init__(**kwargs)
        self.columns = columns
        self.compute = compute
        self._getters = [attrgetter(column.replace("__", ".")) for column in columns]

    def to_representation(self, value: Any) -> Any:
        return self.compute(*(get(value) for get in self._getters))


@dataclass
class ReadSet:
    """The columns, joined rows, lists of rows and annotations that are read of one model."""

    model: type[Model]
    columns: set[str] = field(default_factory=set)
    joins: dict[str, ReadSet] = field(default_factory=dict)
    lists: dict[str, ReadSet] = field(default_factory=dict)
    annotations: set[str] = field(default_factory=set)
    everything: bool = False
    """True if a field reads the row in an unknown way and needs all columns."""

    def add(self, path: tuple[str, ...], annotations: frozenset[str] = frozenset()) -> None:
        """Add one path of attributes, as in the ``source`` of a serializer field."""
        name, *rest = path
        if name in annotations:
            self.annotations.add(name)
            return
        model_field = _model_field(self.model, name)
        if isinstance(model_field, ManyToManyField | ForeignObjectRel):
            self.list_of(name, model_field).add_rest(tuple(rest))
        elif isinstance(model_field, ForeignObject):
            self.columns.update(_key_columns(model_field))
            if rest and name == model_field.name:
                self.join(model_field).add(tuple(rest))
        elif isinstance(model_field, ModelField) and not rest:
            self.columns.add(model_field.name)
        else:
            self.everything = True

    def add_rest(self, path: tuple[str, ...]) -> None:
        """Add a path below each row of a list; an empty path needs all columns."""
        if path:
            self.add(path)
        else:
            self.everything = True

    def join(self, pointer: ForeignObject[Any, Any]) -> ReadSet:
        self.columns.update(_key_columns(pointer))
        return self.joins.setdefault(pointer.name, ReadSet(pointer.related_model))

    def list_of(self, name: str, relation: ManyToManyField[Any, Any] | ForeignObjectRel) -> ReadSet:
        below = self.lists.setdefault(name, ReadSet(relation.related_model))
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            # Select the column that points back, or each row costs a query.
            below.columns.update(_key_columns(relation.field))
        return below

    def only(self, prefix: str = "") -> Iterator[str]:
        """Yield the names for ``QuerySet.only``."""
        if self.everything:
            for model_field in self.model._meta.concrete_fields:
                yield f"{prefix}{model_field.name}"
        yield f"{prefix}{self.model._meta.pk.name}"
        for name in sorted(self.columns):
            yield f"{prefix}{name}"
        for name, reads in self.joins.items():
            yield from reads.only(f"{prefix}{name}__")

    def select_related(self, prefix: str = "") -> Iterator[str]:
        for name, reads in self.joins.items():
            yield f"{prefix}{name}"
            yield from reads.select_related(f"{prefix}{name}__")

    def all_lists(self, prefix: str = "") -> Iterator[tuple[str, ReadSet]]:
        """Yield the path and the read set of each list, for prefetching."""
        for name, reads in self.lists.items():
            yield f"{prefix}{name}", reads
        for name, reads in self.joins.items():
            yield from reads.all_lists(f"{prefix}{name}__")


def read_set_of(
    serializer: Serializer[Any], model: type[Model], annotations: frozenset[str] = frozenset()
) -> ReadSet:
    reads = ReadSet(model)
    _collect(serializer, reads, annotations)
    return reads


def _collect(serializer: Serializer[Any], reads: ReadSet, annotations: frozenset[str]) -> None:
    declared = getattr(getattr(serializer, "Meta", None), "reads", {})
    for name, one in serializer.fields.items():
        if name in declared:
            for path in declared[name]:
                reads.add(tuple(path.split("__")), annotations)
        else:
            _collect_field(one, reads, annotations)


def _collect_field(
    one: Field[Any, Any, Any, Any], reads: ReadSet, annotations: frozenset[str]
) -> None:
    path = tuple(one.source_attrs)
    if isinstance(one, Computed):
        for column in one.columns:
            reads.add((*path, *column.split("__")), annotations)
    elif isinstance(one, ListSerializer) and isinstance(one.child, Serializer):
        _collect_list(one.child, path, reads)
    elif isinstance(one, Serializer):
        _collect_row(one, path, reads, annotations)
    elif isinstance(one, ManyRelatedField):
        _collect_list(None, path, reads)
    elif not path or (isinstance(one, RelatedField) and not one.use_pk_only_optimization()):
        reads.everything = True
    else:
        reads.add(path, annotations)


def _collect_row(
    nested: Serializer[Any], path: tuple[str, ...], reads: ReadSet, annotations: frozenset[str]
) -> None:
    below = reads
    for name in path:
        pointer = _model_field(below.model, name)
        if not isinstance(pointer, ForeignObject) or pointer.name != name:
            below.everything = True
            return
        below = below.join(pointer)
    _collect(nested, below, annotations if below is reads else frozenset())


def _collect_list(child: Serializer[Any] | None, path: tuple[str, ...], reads: ReadSet) -> None:
    relation = _model_field(reads.model, path[0]) if len(path) == 1 else None
    if not isinstance(relation, ManyToManyField | ForeignObjectRel):
        reads.everything = True
        return
    below = reads.list_of(path[0], relation)
    if child is not None:
        _collect(child, below, frozenset())


def _key_columns(pointer: ForeignObject[Any, Any]) -> set[str]:
    return {column.name for column in pointer.local_related_fields}


def _model_field(model: type[Model], name: str) -> object:
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return next((one for one in model._meta.concrete_fields if one.attname == name), None)
