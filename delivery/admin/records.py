from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest

from delivery import conf
from delivery.admin.readonly import ReadOnlyAdmin
from delivery.models import OptOut, WebhookEvent

_LATEST = 2_000


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin[OptOut]):
    list_display = ["number", "tenant", "source", "created_at"]
    list_filter = ["source"]
    list_select_related = ["tenant"]
    search_fields = ["number"]
    search_help_text = "A number, whole, as +13125550142."
    ordering = ["-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OptOut], search_term: str
    ) -> tuple[QuerySet[OptOut], bool]:
        """Search for a whole number of any tenant, so that the query uses the index of both."""
        if search_term:
            tenants = apps.get_model(conf.tenant_model())._default_manager.values("pk")
            queryset = queryset.filter(number=search_term.strip(), tenant__in=tenants)
        return queryset, False


class ResultFilter(admin.SimpleListFilter):
    """Selects among the latest events: a rare result would be searched for through all of them."""

    title = f"result (of the latest {_LATEST:,})"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in WebhookEvent.Result.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> QuerySet[WebhookEvent]:
        if (value := self.value()) is None:
            return queryset
        newest = WebhookEvent.objects.aggregate(pk=Max("pk"))["pk"] or 0
        return queryset.filter(result=value, pk__gt=newest - _LATEST)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    list_display = ["event_id", "event_type", "occurred_at", "received_at", "applied_at", "result"]
    list_filter = [ResultFilter, ("applied_at", admin.EmptyFieldListFilter)]
    search_fields = ["event_id", "provider_id"]
    search_help_text = "An event's id, or the provider's id of a message, whole."
    ordering = ["-pk"]
    raw_id_fields = ["message"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent], search_term: str
    ) -> tuple[QuerySet[WebhookEvent], bool]:
        """Search for whole ids, so that the query uses their indexes."""
        if search_term:
            queryset = queryset.filter(Q(event_id=search_term) | Q(provider_id=search_term))
        return queryset, False
