"""The statements of the page of a conversation, compiled once: the page asks six."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from delivery.models import Message, OptOut
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.inbox.lists import colleagues
from koinonia.inbox.notes import MAX_NOTES
from koinonia.models import Conversation, Note

NOTES = 5
"""The notes that the page shows at first."""


def _conversation() -> QuerySet[Conversation]:
    rows = Conversation.objects.filter(church=Parameter("church"), pk=Parameter("key"))
    opt_outs = OptOut.objects.filter(tenant=OuterRef("church"), number=OuterRef("phone"))
    return rows.select_related("member", "assigned_to__user").annotate(
        opted_out_by=Subquery(opt_outs.values("source")[:1])
    )


CONVERSATION = PreparedQuery(_conversation)
"""The conversation with its member and ``opted_out_by``."""

COLLEAGUES = PreparedQuery(
    lambda: colleagues(Parameter("church")).values_list("pk", "user__username")
)


def _notes() -> QuerySet[Note]:
    found = Note.objects.filter(conversation=Parameter("key"))
    return found.select_related("author").order_by("-pk")


FIRST_NOTES = PreparedQuery(lambda: _notes()[: NOTES + 1])
ALL_NOTES = PreparedQuery(lambda: _notes()[:MAX_NOTES])


@lru_cache(maxsize=8)
def texts(*, before: bool, since: bool, most: int) -> PreparedQuery[Message]:
    """Return the statement of the newest texts, with the bounds that the address names."""
    bounds: dict[str, Any] = {}
    if before:
        bounds["pk__lt"] = Parameter("before")
    if since:
        bounds["pk__gte"] = Parameter("since")
    return PreparedQuery(
        lambda: (
            Message.objects.filter(tenant=Parameter("church"), thread=Parameter("key"), **bounds)
            .select_related("author")
            .only(*_SHOWN)
            .order_by("-pk")[:most]
        )
    )


_SHOWN = (
    "direction", "status", "text", "media_urls", "batch", "created_at", "scheduled_at", "asks_to_stop",
    "error_code", "error_class", "provider", "author__username",
)  # fmt: skip
