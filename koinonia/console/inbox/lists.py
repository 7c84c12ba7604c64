"""The lists of the inbox by their names in the address: open, unread, mine, done, all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from koinonia.api.pagination import InboxOrder, LatestFirst, NewestFirst
from koinonia.api.prepared_list import GivenList, PreparedList
from koinonia.api.prepared_query import Parameter
from koinonia.api.serializers.conversations import ConversationQuerySerializer
from koinonia.console.inbox.rows import with_rows
from koinonia.inbox.lists import in_the_inbox, narrowed
from koinonia.inbox.search import TEXTS_SEARCHED
from koinonia.models import Conversation, Staff

LISTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "open": (
        pgettext_lazy("conversations", "Open"),
        _("Nobody waits for an answer. Texts that people send to your number appear here."),
    ),
    "unread": (pgettext_lazy("conversations", "Unread"), _("Every text has been read.")),
    "mine": (
        pgettext_lazy("conversations", "Mine"),
        _("No conversation is assigned to you. Open one and press “Take it”."),
    ),
    "done": (
        pgettext_lazy("conversations", "Done"),
        _("No conversation has been marked as done yet."),
    ),
    "all": (
        pgettext_lazy("conversations", "All"),
        _("There are no conversations yet. Send a text, and it appears here."),
    ),
}
"""Name in the address -> label, and the sentence of the empty list."""


@dataclass(frozen=True)
class Tab:
    """A list in the line of lists."""

    name: str
    label: str | Promise
    query: str
    is_shown: bool


class Chosen:
    """The list and the search that the address asks for."""

    keep = ("show", "search")
    """The parameters of the address."""
    texts_searched = TEXTS_SEARCHED

    def __init__(self, query: Mapping[str, Any], membership: Staff) -> None:
        self.membership = membership
        asked = query.get("show", "")
        self.show = asked if asked in LISTS else "open"
        self.search = str(query.get("search", "")).strip()
        self.problem = self._problem()

    @property
    def query(self) -> str:
        """Return the query of links that stay in this list."""
        return self._query(self.show)

    @property
    def as_query(self) -> str:
        """Return the query with its question mark, or nothing."""
        return f"?{self.query}" if self.query else ""

    @property
    def tabs(self) -> list[Tab]:
        return [
            Tab(name, label, self._query(name), name == self.show)
            for name, (label, _empty) in LISTS.items()
        ]

    @property
    def empty(self) -> str | Promise:
        return LISTS[self.show][1]

    @property
    def order(self) -> type[NewestFirst]:
        return LatestFirst if self.show == "all" else InboxOrder

    def conversations(self) -> QuerySet[Conversation] | GivenList[Conversation]:
        """Return the conversations of the list, with the rows that templates show."""
        church = self.membership.church
        if not self.search or self.problem:
            return _prepared(self.show).of(church=church.pk, membership=self.membership.pk)
        return _conversations(self.show, church, self.membership, search=self.search)

    def newest(self, most: int) -> list[Conversation]:
        """Return the first conversations of the list."""
        return self.order().first_of(self.conversations(), most)

    def _query(self, show: str) -> str:
        given = {"show": "" if show == "open" else show, "search": self.search}
        return urlencode({name: value for name, value in given.items() if value})

    def _problem(self) -> str:
        """Return the sentence of the API about the search, or nothing."""
        if not self.search:
            return ""
        serializer = ConversationQuerySerializer(data={"search": self.search})
        serializer.is_valid()
        return " ".join(str(error) for error in serializer.errors.get("search", []))


def _conversations(
    show: str, church: Any, membership: Any, **wanted: Any
) -> QuerySet[Conversation]:
    if show == "mine":
        wanted["assigned_to"] = membership
    elif show != "all":
        wanted[show] = True
    rows = narrowed(with_rows(Conversation.objects.filter(church=church)), church, **wanted)
    return rows if show == "all" else in_the_inbox(rows)


@lru_cache(maxsize=len(LISTS))
def _prepared(show: str) -> PreparedList[Conversation]:
    """Return the statements of a list without a search."""
    church, membership = Parameter("church"), Parameter("membership")
    return PreparedList(lambda: _conversations(show, church, membership))
