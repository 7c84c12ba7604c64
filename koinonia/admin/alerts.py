"""The list of alerts, to read."""

from __future__ import annotations

from django.contrib import admin

from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from koinonia.models import Alert


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    list_display = ["sentence", "began", "told", "ended", "what_to_do"]
    list_filter = [("over_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    sortable_by = ()
    began = to_the_second("since", "since")
    told = to_the_second("said_at", "told")
    seen = to_the_second("seen_at", "last seen")
    ended = to_the_second("over_at", "over")
    fields = readonly_fields = ("rule", "sentence", "what_to_do", "began", "seen", "told", "ended")
