"""Keywords in the Django admin: a read-only list. Owners and senders change them on the page of the church."""

from __future__ import annotations

from django.contrib import admin

from delivery.admin.readonly import ReadOnlyAdmin
from koinonia.answers import sentences
from koinonia.models import Keyword


@admin.register(Keyword)
class KeywordAdmin(ReadOnlyAdmin[Keyword]):
    list_display = ["word", "church", "group", "answer_sent", "created_at"]
    list_filter = ["church"]
    list_select_related = ["church", "group"]
    search_fields = ["word", "key", "group__name", "church__name", "church__slug"]
    ordering = ["church", "word", "pk"]
    fields = ["church", "word", "key", "group", "answer", "answer_sent", "created_at"]

    @admin.display(description="Answer that people get")
    def answer_sent(self, keyword: Keyword) -> str:
        return sentences.joined(keyword, keyword.group, keyword.church)
