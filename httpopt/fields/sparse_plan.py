"""A selection of fields, compiled once: its serializer class, its query, and its row reader."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from rest_framework.serializers import BaseSerializer, Field, ListSerializer, Serializer

from httpopt.fields.read_set import ReadSet, read_set_of
from httpopt.fields.row_reader import RowReader, row_reader_of
from httpopt.fields.selection import Selection

Serialized = Serializer[Any]
Fields = dict[str, "Field[Any, Any, Any, Any]"]
Unknown = dict[str, str]
"""Path of an unknown name -> a sentence that says what can be selected there."""


class UnknownFieldsError(ValueError):
    """Names that do not exist or that this user may not see; the error does not tell which."""

    def __init__(self, unknown: dict[str, str]) -> None:
        names = sorted(unknown)
        super().__init__(f"Unknown: {', '.join(names)}. {unknown[names[0]]}")
        self.names = names


@dataclass(frozen=True, slots=True)
class SparsePlan:
    serializer_class: type[Serialized]
    read_set: ReadSet
    row_reader: RowReader | None

    def instances_from(
        self, queryset: QuerySet[Any], also: Iterable[str] = ()
    ) -> QuerySet[Any, Any]:
        """Limit the queryset to the columns, joins and lists that the serializer reads."""
        reads = self.read_set
        given: Iterable[Any] = vars(queryset)["_prefetch_related_lookups"]
        if reads.everything:
            # A field reads the row in an unknown way: keep the queryset of the view.
            return queryset
        queryset = queryset.select_related(None).prefetch_related(None)
        queryset = queryset.only(*reads.only(), *also)
        joins = list(reads.select_related())
        if joins:
            queryset = queryset.select_related(*joins)
        if queryset.query.annotations:
            # Do not compute annotations that are not shown.
            queryset.query.set_annotation_mask(reads.annotations)
        return queryset.prefetch_related(*_prefetches(reads, given))


def compile_plan(
    serializer: Serialized,
    selection: Selection | None,
    model: type[Model],
    annotations: frozenset[str],
) -> SparsePlan:
    """Compile the plan of a selection. Raises UnknownFieldsError."""
    narrowed = narrow(serializer, selection)
    # The caller's cache key covers everything that the context decides.
    bound = narrowed(context=serializer.context)
    return SparsePlan(
        narrowed, read_set_of(bound, model, annotations), row_reader_of(bound, model, annotations)
    )


def _prefetches(reads: ReadSet, given: Iterable[Any]) -> list[Prefetch[Any]]:
    """Return one Prefetch per list; keep the view's Prefetch objects, which may filter."""
    own = {one.prefetch_to: one for one in given if isinstance(one, Prefetch)}
    return [
        own.get(path) or Prefetch(path, _queryset_of(below)) for path, below in reads.all_lists()
    ]


def _queryset_of(reads: ReadSet) -> QuerySet[Any]:
    queryset = reads.model._default_manager.only(*reads.only())
    joins = list(reads.select_related())
    if joins:
        queryset = queryset.select_related(*joins)
    return queryset.prefetch_related(*_prefetches(reads, ()))


def narrow(serializer: Serializer[Any], selection: Selection | None) -> type[Serializer[Any]]:
    """Return a serializer class with only the selected fields (None: all fields).

    Raises UnknownFieldsError.
    """
    unknown: Unknown = {}
    narrowed = _narrow(serializer, selection, "", unknown)
    if unknown:
        raise UnknownFieldsError(unknown)
    return narrowed


def _narrow(
    serializer: Serializer[Any], selection: Selection | None, path: str, unknown: Unknown
) -> type[Serializer[Any]]:
    readable = {
        name: field for name, field in serializer.get_fields().items() if not field.write_only
    }
    if selection is not None:
        choices = f"There are: {', '.join(f'{path}{name}' for name in readable)}."
        unknown |= {f"{path}{name}": choices for name in selection if name not in readable}
    chosen: Fields = {
        name: _narrow_field(field, (selection or {}).get(name), f"{path}{name}.", unknown)
        for name, field in readable.items()
        if selection is None or name in selection
    }
    return _class_with(type(serializer), chosen)


def _class_with(base: type[Serializer[Any]], fields: Fields) -> type[Serializer[Any]]:
    def get_fields(_: Serializer[Any]) -> Fields:
        return copy.deepcopy(fields)

    return type(base.__name__, (base,), {"get_fields": get_fields})


def _narrow_field(
    field: Field[Any, Any, Any, Any], selection: Selection | None, path: str, unknown: Unknown
) -> Any:
    if isinstance(field, ListSerializer) and isinstance(field.child, Serializer):
        child = _copy(field.child, _narrow(field.child, selection, path, unknown))
        return _copy(field, type(field), child=child)
    if isinstance(field, Serializer):
        return _copy(field, _narrow(field, selection, path, unknown))
    if selection is not None:
        whole = f"{path.removesuffix('.')} can only be selected as a whole."
        unknown |= {f"{path}{name}": whole for name in selection}
    return field


def _copy(serializer: BaseSerializer[Any], to: type[BaseSerializer[Any]], **other: Any) -> Any:
    """Copy a serializer as DRF copies fields: by the arguments that DRF keeps of each."""
    given: Any = serializer
    return to(*given._args, **{**given._kwargs, **other})


class PlanCache:
    """The most recently used plans, shared by all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._plans: OrderedDict[Hashable, SparsePlan] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], SparsePlan]) -> SparsePlan:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        plan = make()
        with self._lock:
            self._plans[key] = plan
            while len(self._plans) > self._most:
                self._plans.popitem(last=False)
        return plan
