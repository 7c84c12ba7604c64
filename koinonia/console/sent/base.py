"""The base of the pages of sent texts: rows of the church by id, links, undo."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import reverse

from koinonia import ids
from koinonia.api.prepared_query import PreparedQuery
from koinonia.console.frame import ConsoleView

UNDO_FOR = timedelta(seconds=10)
"""A text of the Send page goes out this long after Send, so that Undo can cancel it."""
_UNDO_SHOWN = timedelta(seconds=15)

_M = TypeVar("_M", bound=Model)


class SentView(ConsoleView):
    """A page of the family "Sent"."""

    section = "sent"

    def item(self, rows: QuerySet[_M] | PreparedQuery[_M], key: str) -> _M:
        """Return the row with this id. Raise Http404 if this church does not have it.

        A prepared query has the parameters ``church`` and ``key``.
        """
        decoded = ids.decode(key)
        if decoded is None:
            raise Http404
        if isinstance(rows, PreparedQuery):
            found = rows.first(church=self.church.pk, key=decoded)
        else:
            found = rows.filter(pk=decoded).first()
        if found is None:
            raise Http404
        return found

    def link(self, name: str, item: Any = None, *more: str) -> str:
        """Return the path of a page of this church, for an item if one is given."""
        keys = () if item is None else (ids.encode(item.pk),)
        return reverse(name, args=[self.church.slug, *keys, *more])


def may_be_undone(due_at: datetime | None, created_at: datetime, now: datetime) -> bool:
    """Return whether a text was sent a moment ago and has not left yet."""
    if due_at is None or due_at <= now:
        return False
    return due_at - created_at <= _UNDO_SHOWN
