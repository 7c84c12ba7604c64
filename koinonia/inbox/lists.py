"""The lists of the inbox, and the number of unread conversations."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from koinonia.api.prepared_query import Parameter
from koinonia.inbox.search import found
from koinonia.models import Church, Conversation, InboxState, Role, Staff

MOST_COUNTED = 100
"""More unread conversations are shown as "99+"."""

_CONDITIONS = {
    "unread": Q(unread_count__gt=0),
    "open": Q(state=InboxState.OPEN),
    "done": Q(state=InboxState.DONE),
}
"""The parameters of the query. The index for each begins with the church and ends with ``inbox_at``."""


def narrowed(
    conversations: QuerySet[Conversation],
    church: Church,
    *,
    search: str = "",
    assigned_to: Staff | None = None,
    **wanted: bool,
) -> QuerySet[Conversation]:
    """Return the conversations of the church that meet all conditions."""
    for name, value in wanted.items():
        condition = _CONDITIONS[name]
        conversations = conversations.filter(condition if value else ~condition)
    if assigned_to is not None:
        conversations = conversations.filter(assigned_to=assigned_to)
    return conversations.filter(found(church, search)) if search else conversations


def in_the_inbox(conversations: QuerySet[Any]) -> QuerySet[Any]:
    """Return the conversations with a time for the order of the inbox."""
    return conversations.filter(inbox_at__isnull=False)


def colleagues(church: Church | Parameter) -> QuerySet[Staff]:
    """Return the staff who may answer a conversation, by name."""
    staff = Staff.objects.filter(church=church).exclude(role=Role.VIEWER)
    return staff.select_related("user").order_by("user__username")


def unread_conversations(church: Church) -> int:
    """Return the number of conversations with unread texts, at most ``MOST_COUNTED``."""
    unread = Conversation.objects.filter(_CONDITIONS["unread"], church=church)
    return len(unread.order_by().values_list("pk")[:MOST_COUNTED])
