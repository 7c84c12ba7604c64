from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from delivery.admin.readonly import ReadOnlyAdmin
from delivery.models import OptOut, WebhookEvent


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin[OptOut]):
    list_display = ["number", "tenant", "source", "created_at"]
    list_filter = ["source"]
    list_select_related = ["tenant"]
    search_fields = ["number"]
    ordering = ["-pk"]


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    list_display = ["event_id", "event_type", "occurred_at", "received_at", "applied_at", "result"]
    list_filter = ["result", ("applied_at", admin.EmptyFieldListFilter)]
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
