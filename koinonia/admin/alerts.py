"""The list of alerts, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from delivery.admin.filters import emptiness
from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from koinonia.models import Alert


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    list_display = ["sentence", "began", "told", "ended", "what_to_do"]
    list_filter = [("over_at", emptiness("state", "lasts", "over"))]
    ordering = ["-pk"]
    sortable_by = ()
    began = to_the_second("since", "since")
    told = to_the_second("said_at", "told")
    seen = to_the_second("seen_at", "last seen")
    ended = to_the_second("over_at", "over")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Alerts", **(extra_context or {})})

    fields = readonly_fields = ("rule", "sentence", "what_to_do", "began", "seen", "told", "ended")
