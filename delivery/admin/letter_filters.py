"""Filters of the dead letter queue for one person's work: dates, batch, colleague."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from delivery.admin.filters import ValueFilter


class BatchFilter(ValueFilter):
    """Offers the batches of the latest rows. A host may give ``title`` its own word."""

    title = "batch"
    parameter_name = field = "batch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), f"#{words}") for value, words in super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value and not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise IncorrectLookupParameters
        return super().queryset(request, queryset)


class AssignedFilter(admin.SimpleListFilter):
    title = "colleague"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Assigned to me"), ("nobody", "Assigned to nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "me":
            return queryset.filter(assignment__to=request.user)
        if self.value() == "nobody":
            return queryset.filter(assignment__isnull=True)
        return queryset


class DiedFilter(admin.ListFilter):
    """The first and the last day of the deaths, in the zone of the admin."""

    title = "dates"
    template = "admin/delivery/deadletter/dates_filter.html"
    parameters = ("died_from", "died_until")

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameters:
            if name in params:
                self.used_parameters[name] = str(params.pop(name)[-1])
        self.kept = [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if name not in {*self.parameters, "p", "e"}
        ]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """Yield the values of the form in the template."""
        yield {
            "selected": bool(self.used_parameters),
            "from": self.used_parameters.get("died_from", ""),
            "until": self.used_parameters.get("died_until", ""),
            "kept": self.kept,
            "zone": timezone.get_current_timezone_name(),
            "clear": changelist.get_query_string(remove=list(self.parameters)),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if first := self._day("died_from"):
            began = _midnight(first)
            # The second condition bounds the walk through the index of the list.
            queryset = queryset.filter(dead_since__gte=began, updated_at__gte=began)
        if last := self._day("died_until"):
            queryset = queryset.filter(dead_since__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def _day(self, name: str) -> date | None:
        text = str(self.used_parameters.get(name, ""))
        if not text:
            return None
        try:
            found = date.fromisoformat(text)
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if not 1970 <= found.year <= 9000:
            raise IncorrectLookupParameters
        return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
