"""A selection, worked out once: the serializer, the query, and whether rows will do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from rest_framework.serializers import Serializer

from httpopt.fields.narrow import narrowed
from httpopt.fields.reads import Reads, reads_of
from httpopt.fields.rows import Rows, rows_of
from httpopt.fields.syntax import Selection

Serialized = Serializer[Any]


@dataclass(frozen=True, slots=True)
class Plan:
    serializer_class: type[Serialized]
    reads: Reads
    rows: Rows | None

    def instances_from(
        self, queryset: QuerySet[Any], also: Iterable[str] = ()
    ) -> QuerySet[Any, Any]:
        """The queryset asking for the columns, joins and lists that are shown."""
        reads: Reads = self.reads
        given: Iterable[Any] = vars(queryset)["_prefetch_related_lookups"]
        if reads.everything:
            # Something reads the row in a way that cannot be told: what the view wanted stands.
            return queryset
        queryset = queryset.select_related(None).prefetch_related(None)
        queryset = queryset.only(*reads.only(), *also)
        joins = list(reads.select_related())
        if joins:
            queryset = queryset.select_related(*joins)
        if queryset.query.annotations:
            # Counts that nobody asked for are not counted.
            queryset.query.set_annotation_mask(reads.annotations)
        return queryset.prefetch_related(*_prefetches(reads, given))


def compile_plan(
    serializer: Serialized,
    selection: Selection | None,
    model: type[Model],
    annotations: frozenset[str],
) -> Plan:
    """Raises UnknownFieldsError."""
    made = narrowed(serializer, selection)
    # The context decides nothing here that the caller's key does not hold.
    bound = made(context=serializer.context)
    return Plan(made, reads_of(bound, model, annotations), rows_of(bound, model, annotations))


def _prefetches(reads: Reads, given: Iterable[Any]) -> list[Prefetch[Any]]:
    """One for each list; a Prefetch of the view's own making is better informed, and stays."""
    own = {one.prefetch_to: one for one in given if isinstance(one, Prefetch)}
    return [
        own.get(path) or Prefetch(path, _queryset_of(below)) for path, below in reads.all_lists()
    ]


def _queryset_of(reads: Reads) -> QuerySet[Any]:
    queryset = reads.model._default_manager.only(*reads.only())
    joins = list(reads.select_related())
    if joins:
        queryset = queryset.select_related(*joins)
    return queryset.prefetch_related(*_prefetches(reads, ()))


class Plans:
    """The plans used last, for all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._plans: OrderedDict[Hashable, Plan] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Plan]) -> Plan:
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

    def __len__(self) -> int:
        return len(self._plans)
