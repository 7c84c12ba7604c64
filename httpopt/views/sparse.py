from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.timezone import get_current_timezone_name
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, Serializer

from httpopt import conf
from httpopt.fields.row_reader import RowReader
from httpopt.fields.selection import FieldsError, parse_fields
from httpopt.fields.sparse_plan import PlanCache, SparsePlan, UnknownFieldsError, compile_plan

_MOST_PLANS = 500
_plans = PlanCache(_MOST_PLANS)
_SAFE = ("GET", "HEAD")


class SparseFieldsMixin(GenericAPIView[Any]):
    """Honours ``?fields=`` on GET: shows only those fields and reads only their columns.

    A field from a method or property names its columns in its serializer's
    ``Meta.reads = {"name": ("first_name", "last_name")}``, or is a ``Computed``. Otherwise all columns
    of the row are read. A serializer with fields that depend on the user needs ``get_rights()``.
    """

    sparse_fields: ClassVar[bool] = True
    """Set to False for an answer that is not made by the serializer of an item or a list."""
    sparse_rows: ClassVar[bool] = True
    """Set to False if the view needs model instances on its page."""
    sparse_always: ClassVar[tuple[str, ...]] = ()
    """Columns that the view reads for any selection."""

    _plan: SparsePlan | None = None

    def get_rights(self) -> str:
        """Return the rights that decide which fields exist."""
        return ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if (
            self.sparse_fields
            and request.method in _SAFE
            and request.method in self.allowed_methods
        ):
            self._plan = self._plan_for(request)

    def _plan_for(self, request: Request) -> SparsePlan | None:
        serializer_class = self.get_serializer_class()
        if not issubclass(serializer_class, Serializer):
            return None
        wanted = request.query_params.getlist("fields") if conf.enabled() else []
        text = ",".join(wanted) if wanted else None
        key: Hashable = (
            type(self), serializer_class, text, self.get_rights(), get_current_timezone_name()
        )  # fmt: skip
        try:
            return _plans.get(key, lambda: self._compile(serializer_class, text))
        except (FieldsError, UnknownFieldsError) as error:
            raise ValidationError({"fields": [str(error)]}) from error

    def _compile(self, serializer_class: type[Serializer[Any]], text: str | None) -> SparsePlan:
        selection = None if text is None else parse_fields(text)
        queryset = self.get_queryset()
        serializer = serializer_class(context=self.get_serializer_context())
        return compile_plan(
            serializer, selection, queryset.model, frozenset(queryset.query.annotations)
        )

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        if self._plan is None or self.request.method not in _SAFE:
            return queryset
        also = [*self._columns_of_paging(), *self.sparse_always]
        if self._plan.row_reader is not None and self.sparse_rows and not self._is_item():
            return self._plan.row_reader.values_from(queryset, also)
        return self._plan.instances_from(queryset, also)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        plan = self._plan
        if plan is None or self.request.method not in _SAFE:
            return super().get_serializer(*args, **kwargs)
        kwargs.setdefault("context", self.get_serializer_context())
        if plan.row_reader and kwargs.get("many") and args and _are_rows(args[0]):
            return _RowSerializer(plan.row_reader, args[0])
        serializer: BaseSerializer[Any] = plan.serializer_class(*args, **kwargs)
        return serializer

    def _is_item(self) -> bool:
        return (self.lookup_url_kwarg or self.lookup_field) in self.kwargs

    def _columns_of_paging(self) -> list[str]:
        ordering = getattr(self.paginator, "ordering", None) or ()
        names = [ordering] if isinstance(ordering, str) else ordering
        return [name.lstrip("-") for name in names]


class _RowSerializer:
    """Has the one attribute that a list view reads of a serializer."""

    def __init__(self, reader: RowReader, page: Any) -> None:
        self.data = reader.represent(page)


def _are_rows(page: Any) -> bool:
    return isinstance(next(iter(page), None), dict)
