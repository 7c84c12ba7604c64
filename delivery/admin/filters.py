"""Filters of the dead letter queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from delivery import conf
from delivery.admin.bounded import common_values
from delivery.dead_letters.latest import not_discarded
from delivery.dead_letters.reasons import explain

_MOST_CHOICES = 30
_LONGEST = 48
"""Letters of an explanation beside the list."""


class ValueFilter(admin.SimpleListFilter):
    """Offers the values of the latest rows, the most frequent first; with counts if these are all."""

    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        common = common_values(request, model_admin)
        return [
            (value, f"{value} ({count})" if common.complete else value)
            for value, count in common.by_field[self.field].most_common(_MOST_CHOICES)
            if value
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.field: value}) if value else queryset


class CodeFilter(ValueFilter):
    """Offers the causes of the latest rows with their codes."""

    title = "cause"
    parameter_name = field = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = super().lookups(request, model_admin)
        return [(code, f"{_short(code)} {words}") for code, words in found]


def _short(code: str) -> str:
    """Return the beginning of the explanation of a code of the default account."""
    words = explain(code, conf.default_provider())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


CLASSES = {
    "ambiguous": "the answer was lost",
    "cancelled": "not wanted any more",
    "configuration": "the account or the number is not set up",
    "crash": "our worker stopped",
    "expired": "too late",
    "permanent": "refused for good",
    "retryable": "the provider failed",
    "throttled": "too many texts at once",
}
"""The classes of errors in words."""


class ClassFilter(ValueFilter):
    title = "kind of error"
    parameter_name = field = "error_class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = super().lookups(request, model_admin)
        return [(key, words.replace(key, CLASSES.get(key, key), 1)) for key, words in found]


class TenantFilter(admin.SimpleListFilter):
    """Offers the tenants of the latest rows by name."""

    parameter_name = "tenant__id__exact"

    def __init__(self, *args: Any) -> None:
        self.tenants = apps.get_model(conf.tenant_model())
        self.title = str(self.tenants._meta.verbose_name)
        super().__init__(*args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        keys = list(common_values(request, model_admin).by_field["tenant"])
        found = self.tenants._default_manager.filter(pk__in=keys)
        return sorted(((str(one.pk), str(one)) for one in found), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (value := self.value()) is None:
            return queryset
        try:
            tenant = self.tenants._default_manager.filter(pk=value).first()
        except (ValidationError, ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        return queryset.filter(tenant=tenant) if tenant else queryset.none()


def shows_what_waits_in_a_tenant(request: HttpRequest) -> bool:
    """Return True for the list that the index of the messages for people holds in its order."""
    of_a_tenant = TenantFilter.parameter_name in request.GET
    return of_a_tenant and DiscardedFilter.parameter_name not in request.GET


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
        if self.value() == "yes":
            return queryset.filter(discarded_at__isnull=False)
        if shows_what_waits_in_a_tenant(request):
            return queryset.filter(discarded_at__isnull=True)
        return not_discarded(queryset)


def emptiness(title: str, empty: str, filled: str) -> type[admin.EmptyFieldListFilter]:
    """Return a filter by whether a field is empty, with words for both."""

    class InWords(admin.EmptyFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice, words in zip(
                super().choices(changelist), ("all", empty, filled), strict=True
            ):
                yield {**choice, "display": words.capitalize()}

    return InWords
