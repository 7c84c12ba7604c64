"""The section of the groups, and the group or keyword in a path."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Count, Model, QuerySet
from django.http import Http404
from django.urls import reverse

from koinonia import ids
from koinonia.api.serializers.acting import context_of
from koinonia.console.frame import ConsoleView
from koinonia.models import Group, Keyword

M = TypeVar("M", bound=Model)


class GroupsView(ConsoleView):
    section = "groups"

    def group(self, key: str) -> Group:
        """Return the group. Raise Http404 if this church has none."""
        return self._of_church(Group.objects.filter(church=self.church), key)

    def counted_group(self, key: str) -> Group:
        """Return the group with ``members_count``. Raise Http404 if this church has none."""
        groups = Group.objects.filter(church=self.church)
        return self._of_church(groups.annotate(members_count=Count("members")), key)

    def _of_church(self, groups: QuerySet[Group], key: str) -> Group:
        group = _found(groups, key)
        group.church = self.church
        return group

    def keyword(self, key: str) -> Keyword:
        return _found(Keyword.objects.filter(church=self.church).select_related("group"), key)

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-{name}", args=[self.church.slug, *args])

    def path_of(self, group: Group) -> str:
        return self.path("group", ids.encode(group.pk))

    def judge(self, kind: Any, data: dict[str, Any], item: Model | None = None) -> Any:
        """Return a serializer of the API for the values of a form."""
        context = context_of(self.church, self.user)
        return kind(item, data=data, partial=item is not None, context=context)


def _found(rows: QuerySet[M], key: str) -> M:
    number = ids.decode(key)
    found = rows.filter(pk=number).first() if number is not None else None
    if found is None:
        raise Http404("This church has nothing with this id.")
    return found
