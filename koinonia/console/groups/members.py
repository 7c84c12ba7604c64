"""A group with its members, and the members in and out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia import group_changes, ids
from koinonia.api.pagination import ByName
from koinonia.api.serializers.answers import GroupMembersSerializer
from koinonia.console.groups.base import GroupsView
from koinonia.console.paging import paged
from koinonia.models import Group, Keyword, Member
from koinonia.models.member import MemberQuerySet, called, with_opt_outs
from koinonia.numbers import grouped
from koinonia.people.search import found, matching
from koinonia.phone import as_written

MOST_FOUND = 50
_FEW = 500
"""A group of this size is read whole and sorted: its people stand far apart in the church's index of
names. A page of a larger group is read along that index."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the members of a group. Made in Python: templates cost more per line."""

    place: int
    """The primary key, for ids of elements."""
    key: str
    name: str
    number: str
    opted_out: bool
    remove: str
    """The label of its button."""


def rows_of(members: Iterable[Any], country: str) -> list[Row]:
    """Return the lines of members with ``opted_out``."""
    remove = _("Remove %(name)s")
    return [
        Row(
            place=member.pk,
            key=ids.encode(member.pk),
            name=(name := called(member, country)),
            number=as_written(member.phone, country),
            opted_out=member.opted_out,
            remove=remove % {"name": name},
        )
        for member in members
    ]


class GroupPage(GroupsView):
    """A group: its members by ``?search=``, and people to add by ``?find=``."""

    def get(self, request: Any, key: str) -> HttpResponse:
        group = self.counted_group(key)
        words = request.GET.get("search", "")[:100].strip()
        wanted = request.GET.get("find", "")[:100].strip()
        members = with_opt_outs(self._members(group).filter(matching(words, self.church.country)))
        page = paged(request, members, partial(ByName, self.church.pk), keep=("search",))
        if request.GET and not page.rows and not words and group.members_count:  # type: ignore[attr-defined] # annotated
            # The last person of this page has been removed.
            return self.go(self.path("group", key))
        context = {
            "group": group,
            "keywords": list(Keyword.objects.filter(group=group).order_by("word")[:20]),
            "page": page,
            "rows": rows_of(page.rows, self.church.country),
            "search": words,
            "find": wanted,
            **self._candidates(group, wanted),
        }
        return self.page("koinonia/console/groups/group.html", context)

    def _members(self, group: Group) -> MemberQuerySet:
        """Return the members of the group by a condition that is quick for its size.

        PostgreSQL does not know the sizes of small groups, and would read all members for three people.
        """
        if group.members_count > _FEW:  # type: ignore[attr-defined] # annotated
            return Member.objects.filter(church=self.church, groups=group)
        rows = Member.groups.through.objects.filter(group=group).order_by("pk")
        return Member.objects.filter(pk__in=list(rows.values_list("member", flat=True)[:_FEW]))

    def _candidates(self, group: Group, wanted: str) -> dict[str, Any]:
        if not wanted:
            return {"candidates": [], "more": False}
        others = Member.objects.filter(church=self.church).exclude(groups=group)
        ranked: Any = found(with_opt_outs(others), wanted, self.church.country)[0]
        rows = list(ranked.order_by("-rank", "search_key", "pk")[: MOST_FOUND + 1])
        return {"candidates": rows[:MOST_FOUND], "more": len(rows) > MOST_FOUND}


class GroupMembersPage(GroupsView):
    """Adds the chosen members (``add``), or removes one (``remove``)."""

    def post(self, request: Any, key: str) -> HttpResponse:
        group = self.group(key)
        given = {name: request.POST.getlist(name) for name in ("add", "remove")}
        judged = self.judge(GroupMembersSerializer, given)
        if not judged.is_valid():
            self.notice(_("Choose people first."), level=30)
            asked = urlencode({"find": request.POST.get("find", "")[:100]})
            return self.go(f"{self.path('group', key)}?{asked}#add-title")
        add, remove = judged.validated_data["add"], judged.validated_data["remove"]
        changed = group_changes.change_members(group, self.user, add=add, remove=remove)
        if changed.added:
            self.notice(
                ngettext("%(n)s person is added.", "%(n)s people are added.", changed.added)
                % {"n": grouped(changed.added)}
            )
        if changed.removed:
            self.notice(
                ngettext("%(n)s person is out of the group.", "%(n)s people are out of the group.", changed.removed)
                % {"n": grouped(changed.removed)}
            )  # fmt: skip
        if add:
            return self.go(f"{self.path('group', key)}#add-title")
        # The list stays where it is: several people of a search are often removed.
        return self.go(f"{self.path('group', key)}?{request.GET.urlencode()}#members-title")
