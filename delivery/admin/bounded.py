"""Lists of large tables: no page costs more for a longer history.

No list counts all rows, and a page is at most a thousand rows away from the first one: whoever needs
more filters or searches.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from delivery.dead_letters.latest import latest, not_discarded

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
    _Admin = admin.ModelAdmin[Any]

else:  # Django's own classes take no type arguments without a patch.
    _Paginator, _Admin = Paginator, admin.ModelAdmin

MOST = 1_000
_LATEST = 200
"""Enough rows to choose the values of a filter by."""


class MoreThanMost(int):
    """The count of a list with more than ``MOST`` rows; pages show it in words."""

    def __new__(cls) -> MoreThanMost:
        return super().__new__(cls, MOST)

    def __str__(self) -> str:
        return f"more than {MOST:,}"


class BoundedPaginator(_Paginator):
    """Counts at most a thousand rows, and offers the pages of these."""

    @cached_property
    def count(self) -> int:
        counted = self._count_up_to(MOST + 1)
        return counted if counted <= MOST else MoreThanMost()

    def _count_up_to(self, most: int) -> int:
        return cast("QuerySet[Any]", self.object_list)[:most].count()


class BoundedList(_Admin):
    """An admin with a list that counts at most a thousand rows."""

    paginator = BoundedPaginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say so when Django has left out a filter that it did not understand."""
        if ERROR_FLAG in request.GET:
            sentence = "A filter in the address was not understood. The list shows what it would without filters."
            self.message_user(request, sentence, messages.WARNING)
        return super().changelist_view(request, extra_context)

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they would count every row
    list_per_page = 50


def is_oldest_first(rows: QuerySet[Any]) -> bool:
    return not str(rows.query.order_by[0]).startswith("-")


class MergingPaginator(BoundedPaginator):
    """A list of messages with some of several statuses, by their last change."""

    statuses: list[str]

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        end = number * self.per_page
        rows = cast("QuerySet[Any]", self.object_list)
        oldest = is_oldest_first(rows)
        found: list[tuple[Any, int]] = []
        for some in latest(rows, self.statuses, oldest=oldest):
            found += some.values_list("updated_at", "pk")[:end]
        found.sort(reverse=not oldest)
        chosen = [key for _, key in found[end - self.per_page : end]]
        return Page(rows.filter(pk__in=chosen), number, self)

    def _count_up_to(self, most: int) -> int:
        counted = 0
        for some in latest(cast("QuerySet[Any]", self.object_list), self.statuses):
            counted += some[: most - counted].count()
        return counted


@dataclass(slots=True)
class CommonValues:
    """The values of some fields in the latest rows of a list, with their numbers."""

    by_field: dict[str, Counter[Any]]
    complete: bool = True
    """The list holds no other rows."""


def common_values(request: HttpRequest, model_admin: Any) -> CommonValues:
    """Count the values of ``common_fields`` in the latest rows of each status.

    The filters of one page share the answer.
    """
    known: CommonValues | None = getattr(request, "_common_values", None)
    if known is None:
        fields: tuple[str, ...] = model_admin.common_fields
        known = CommonValues({field: Counter() for field in fields})
        rows = not_discarded(model_admin.get_queryset(request))
        for some in latest(rows, model_admin.statuses):
            found = list(some.values_list(*fields)[:_LATEST])
            known.complete = known.complete and len(found) < _LATEST
            for values in found:
                for field, value in zip(fields, values, strict=True):
                    known.by_field[field][value] += 1
        request._common_values = known  # type: ignore[attr-defined]
    return known
