"""The list of opt-outs, to search for a whole number."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from delivery import conf
from delivery.admin import tenants
from delivery.admin.letter_search import number_in
from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from delivery.admin.sealed_search import SealedSearch
from delivery.dead_letters.queue import masked
from delivery.models import OptOut


@admin.register(OptOut)
class OptOutAdmin(SealedSearch, ReadOnlyAdmin[OptOut]):
    list_display = ["masked_number", "owner", "source", "since"]
    list_filter = ["source"]
    list_select_related = ["tenant"]
    search_fields = ["number"]
    search_help_text = "A number, whole, as +13125550142."
    ordering = ["-pk"]
    owner = tenants.column()
    since = to_the_second("created_at", "since")
    fields = readonly_fields = ("masked_number", "owner", "source", "since")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Opt-outs", **(extra_context or {})})

    @admin.display(description="number")
    def masked_number(self, opt_out: OptOut) -> str:
        return masked(opt_out.number)

    def search(
        self, request: HttpRequest, queryset: QuerySet[OptOut], words: str
    ) -> tuple[QuerySet[OptOut], bool]:
        """Search for a whole number of any tenant, so that the query uses the index of both."""
        if words:
            of_any = apps.get_model(conf.tenant_model())._default_manager.values("pk")
            queryset = queryset.filter(number=number_in(words) or words, tenant__in=of_any)
        return queryset, False
