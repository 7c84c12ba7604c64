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
from httpopt.fields.narrow import UnknownFieldsError
from httpopt.fields.plan import Plan, Plans, compile_plan
from httpopt.fields.rows import Rows
from httpopt.fields.syntax import FieldsError, parse_fields

_MOST_PLANS = 500
_plans = Plans(_MOST_PLANS)
_SAFE = ("GET", "HEAD")


class SparseFieldsMixin(GenericAPIView[Any]):
    """``?fields=`` on GET: only those fields, and only their columns.

    A field made by a method or property says what it reads in its serializer's
    ``Meta.reads = {"name": ("first_name", "last_name")}``, or is a ``Computed``; else all columns
    of that row are read. A serializer whose fields depend on who asks needs ``get_rights()``.
    """

    sparse_fields: ClassVar[bool] = True
    """Whether ``fields`` is honoured; no, where the answer is no item and no list."""
    sparse_rows: ClassVar[bool] = True
    """Whether a list of plain fields may page over dicts; no, where the view touches its page."""
    sparse_always: ClassVar[tuple[str, ...]] = ()
    """Columns that the view itself reads, whatever is shown."""

    _plan: Plan | None = None

    def get_rights(self) -> str:
        """What of the user's rights decides which fields there are."""
        return ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if (
            self.sparse_fields
            and request.method in _SAFE
            and request.method in self.allowed_methods
        ):
            self._plan = self._plan_for(request)

    def _plan_for(self, request: Request) -> Plan | None:
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
        except FieldsError as error:
            raise ValidationError({"fields": [str(error)]}) from error
        except UnknownFieldsError as error:
            raise ValidationError({"fields": [f"Unknown: {error}."]}) from error

    def _compile(self, serializer_class: type[Serializer[Any]], text: str | None) -> Plan:
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
        also = [*self._read_by_paging(), *self.sparse_always]
        if self._plan.rows is not None and self.sparse_rows and not self._is_item():
            return self._plan.rows.values_from(queryset, also)
        return self._plan.instances_from(queryset, also)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        plan = self._plan
        if plan is None or self.request.method not in _SAFE:
            return super().get_serializer(*args, **kwargs)
        kwargs.setdefault("context", self.get_serializer_context())
        if plan.rows and kwargs.get("many") and args and _are_rows(args[0]):
            return _Represented(plan.rows, args[0])
        serializer: BaseSerializer[Any] = plan.serializer_class(*args, **kwargs)
        return serializer

    def _is_item(self) -> bool:
        return (self.lookup_url_kwarg or self.lookup_field) in self.kwargs

    def _read_by_paging(self) -> list[str]:
        ordering = getattr(self.paginator, "ordering", None) or ()
        names = [ordering] if isinstance(ordering, str) else ordering
        return [name.lstrip("-") for name in names]


class _Represented:
    """What a list view asks of a serializer, without the serializer."""

    def __init__(self, how: Rows, page: Any) -> None:
        self.data = how.represent(page)


def _are_rows(page: Any) -> bool:
    return isinstance(next(iter(page), None), dict)
