"""Filters of the dead letter queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

_MOST_CHOICES = 30


class _ValueFilter(admin.SimpleListFilter):
    """Offers the values that occur with their counts, the most frequent first."""

    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).filter(discarded_at__isnull=True).order_by()
        counts = rows.values_list(self.field).annotate(n=Count("pk")).order_by("-n")
        return [(value, f"{value} ({count})") for value, count in counts[:_MOST_CHOICES] if value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.field: value}) if value else queryset


class CodeFilter(_ValueFilter):
    title = "code"
    parameter_name = field = "error_code"


class ClassFilter(_ValueFilter):
    title = "class"
    parameter_name = field = "error_class"


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("dead", "dead: not sent"), ("unknown", "unknown: may have arrived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(status=value) if value else queryset


class AgeFilter(admin.SimpleListFilter):
    title = "age"
    parameter_name = "age"

    _CHOICES = {
        "1h": ("the last hour", timedelta(hours=1), True),
        "24h": ("the last 24 hours", timedelta(hours=24), True),
        "7d": ("the last 7 days", timedelta(days=7), True),
        "older-7d": ("older than 7 days", timedelta(days=7), False),
        "older-30d": ("older than 30 days", timedelta(days=30), False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, words) for key, (words, _, _) in self._CHOICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self._CHOICES.get(self.value() or "")
        if chosen is None:
            return queryset
        _, age, newer = chosen
        return queryset.filter(**{f"dead_since__{'gte' if newer else 'lt'}": timezone.now() - age})


class DiscardedFilter(admin.SimpleListFilter):
    title = "queue"
    parameter_name = "discarded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Discarded"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "Waiting"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(discarded_at__isnull=self.value() != "yes")
