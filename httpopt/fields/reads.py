"""What of the database a serializer reads, so that the query asks for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field as ModelField
from django.db.models import ForeignObject, Model
from django.db.models.fields.related import ForeignObjectRel, ManyToManyField
from rest_framework.relations import ManyRelatedField, RelatedField
from rest_framework.serializers import Field, ListSerializer, Serializer

from httpopt.fields.computed import Computed


@dataclass
class Reads:
    """Of one model: columns, joined rows, lists of rows, annotations."""

    model: type[Model]
    columns: set[str] = field(default_factory=set)
    joins: dict[str, Reads] = field(default_factory=dict)
    lists: dict[str, Reads] = field(default_factory=dict)
    annotations: set[str] = field(default_factory=set)
    everything: bool = False
    """Something reads this row in a way that cannot be told: all its columns are needed."""

    def add(self, path: tuple[str, ...], annotations: frozenset[str] = frozenset()) -> None:
        """One path of attributes, as a serializer's ``source`` has them."""
        name, *rest = path
        if name in annotations:
            self.annotations.add(name)
            return
        model_field = _model_field(self.model, name)
        if isinstance(model_field, ManyToManyField | ForeignObjectRel):
            self.list_of(name, model_field).add_rest(tuple(rest))
        elif isinstance(model_field, ForeignObject):
            self.columns.update(_pointing(model_field))
            if rest and name == model_field.name:
                self.join(model_field).add(tuple(rest))
        elif isinstance(model_field, ModelField) and not rest:
            self.columns.add(model_field.name)
        else:
            self.everything = True

    def add_rest(self, path: tuple[str, ...]) -> None:
        """What is read of each row of a list; all of it, where that is not said."""
        if path:
            self.add(path)
        else:
            self.everything = True

    def join(self, pointer: ForeignObject[Any, Any]) -> Reads:
        self.columns.update(_pointing(pointer))
        return self.joins.setdefault(pointer.name, Reads(pointer.related_model))

    def list_of(self, name: str, relation: ManyToManyField[Any, Any] | ForeignObjectRel) -> Reads:
        below = self.lists.setdefault(name, Reads(relation.related_model))
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            # Without the column that points back, each row would be asked for it.
            below.columns.update(_pointing(relation.field))
        return below

    def only(self, prefix: str = "") -> Iterator[str]:
        """The names for ``QuerySet.only``."""
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

    def all_lists(self, prefix: str = "") -> Iterator[tuple[str, Reads]]:
        """``(path, what is read there)`` of each list, for prefetching."""
        for name, reads in self.lists.items():
            yield f"{prefix}{name}", reads
        for name, reads in self.joins.items():
            yield from reads.all_lists(f"{prefix}{name}__")


def reads_of(
    serializer: Serializer[Any], model: type[Model], annotations: frozenset[str] = frozenset()
) -> Reads:
    reads = Reads(model)
    _collect(serializer, reads, annotations)
    return reads


def _collect(serializer: Serializer[Any], reads: Reads, annotations: frozenset[str]) -> None:
    declared = getattr(getattr(serializer, "Meta", None), "reads", {})
    for name, one in serializer.fields.items():
        if name in declared:
            for path in declared[name]:
                reads.add(tuple(path.split("__")), annotations)
        else:
            _collect_field(one, reads, annotations)


def _collect_field(
    one: Field[Any, Any, Any, Any], reads: Reads, annotations: frozenset[str]
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
    nested: Serializer[Any], path: tuple[str, ...], reads: Reads, annotations: frozenset[str]
) -> None:
    below = reads
    for name in path:
        pointer = _model_field(below.model, name)
        if not isinstance(pointer, ForeignObject) or pointer.name != name:
            below.everything = True
            return
        below = below.join(pointer)
    _collect(nested, below, annotations if below is reads else frozenset())


def _collect_list(child: Serializer[Any] | None, path: tuple[str, ...], reads: Reads) -> None:
    relation = _model_field(reads.model, path[0]) if len(path) == 1 else None
    if not isinstance(relation, ManyToManyField | ForeignObjectRel):
        reads.everything = True
        return
    below = reads.list_of(path[0], relation)
    if child is not None:
        _collect(child, below, frozenset())


def _pointing(pointer: ForeignObject[Any, Any]) -> set[str]:
    return {column.name for column in pointer.local_related_fields}


def _model_field(model: type[Model], name: str) -> object:
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return next((one for one in model._meta.concrete_fields if one.attname == name), None)
