"""The list of alerts, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.admin.filters import emptiness
from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from koinonia.alerts.pages import page_of
from koinonia.models import Alert


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    list_display = ["sentence", "began", "told", "ended", "what_to_do", "page"]
    list_filter = [("over_at", emptiness("state", "lasts", "over"))]
    ordering = ["-pk"]
    sortable_by = ()
    began = to_the_second("since", "since")
    told = to_the_second("said_at", "told")
    seen = to_the_second("seen_at", "last seen")
    ended = to_the_second("over_at", "over")

    @admin.display(description="page")
    def page(self, alert: Alert) -> SafeString:
        found = page_of(alert.rule, alert.key)
        return format_html('<a href="{}">{}</a>', found.path, found.name)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Alerts", **(extra_context or {})})

    fields = readonly_fields = (
        "rule",
        "sentence",
        "what_to_do",
        "page",
        "began",
        "seen",
        "told",
        "ended",
    )
