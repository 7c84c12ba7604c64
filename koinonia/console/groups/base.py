"""The section of the groups, and the group or keyword in a path."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import reverse

from koinonia import ids
from koinonia.api.serializers.acting import context_of
from koinonia.console.frame import ConsoleView
from koinonia.console.groups.statements import GROUP
from koinonia.models import Group, Keyword

M = TypeVar("M", bound=Model)


class GroupsView(ConsoleView):
    section = "groups"

    def group(self, key: str) -> Group:
        """Return the group. Raise Http404 if this church has none."""
        return self._of_church(_found(Group.objects.filter(church=self.church), key))

    def counted_group(self, key: str) -> Group:
        """Return the group with ``members_count``. Raise Http404 if this church has none."""
        number = ids.decode(key)
        found = GROUP.first(church=self.church.pk, key=number) if number is not None else None
        return self._of_church(found)

    def _of_church(self, group: Group | None) -> Group:
        group = _known(group)
        group.church = self.church
        return group

    def keyword(self, key: str) -> Keyword:
        keywords = Keyword.objects.filter(church=self.church).select_related("group")
        return _known(_found(keywords, key))

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-{name}", args=[self.church.slug, *args])

    def path_of(self, group: Group) -> str:
        return self.path("group", ids.encode(group.pk))

    def judge(self, kind: Any, data: dict[str, Any], item: Model | None = None) -> Any:
        """Return a serializer of the API for the values of a form."""
        context = context_of(self.church, self.user)
        return kind(item, data=data, partial=item is not None, context=context)


def _found(rows: QuerySet[M], key: str) -> M | None:
    number = ids.decode(key)
    return rows.filter(pk=number).first() if number is not None else None


def _known(found: M | None) -> M:
    if found is None:
        raise Http404("This church has nothing with this id.")
    return found
