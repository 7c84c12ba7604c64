"""Ids of a church's own items, so that an example body names something that exists."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from delivery.models import Message
from koinonia import ids
from koinonia.api.examples.recorded import sample_id
from koinonia.models import Group, Member


class ItemsOfChurch:
    """Finds the id of one item of a kind. Without an item, it is the id of the recorded example."""

    def __init__(self, slug: str | None, *, other_than: str | None = None) -> None:
        self._slug = slug
        self._other_than = ids.decode(other_than or "")

    def __call__(self, kind: str) -> str:
        rows = self._rows(kind)
        if rows is None or self._slug is None:
            return sample_id(kind)
        key = rows.exclude(pk=self._other_than).order_by("pk").values_list("pk", flat=True).first()
        return sample_id(kind) if key is None else ids.encode(key)

    def _rows(self, kind: str) -> QuerySet[Any] | None:
        match kind:
            case "member":
                return Member.objects.filter(church__slug=self._slug)
            case "group":
                return Group.objects.filter(church__slug=self._slug)
            case "dead_letter":
                return Message.objects.dead_letters().filter(tenant__slug=self._slug)
        return None
