"""A group with its members, and the members in and out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia import group_changes, ids
from koinonia.api.pagination import ByName
from koinonia.api.permissions import suffices
from koinonia.api.prepared_list import GivenList
from koinonia.api.serializers.answers import GroupMembersSerializer
from koinonia.console.groups.base import GroupsView
from koinonia.console.groups.statements import FEW, KEYS_OF_FEW, KEYWORDS, MEMBERS
from koinonia.console.paging import paged
from koinonia.models import Group, Member, Role
from koinonia.models.member import MemberQuerySet, called, with_opt_outs
from koinonia.numbers import grouped
from koinonia.people.search import found, matching
from koinonia.phone import as_written

MOST_FOUND = 50
_LINE = (
    '<li><span><a href="{base}members/{key}/"><bdi>{name}</bdi></a>'
    ' <span class="quiet"><bdi class="number">{number}</bdi>{out}</span></span>\n{button}</li>'
)
_REMOVE = (
    '<button type="submit" id="remove-{place}" name="remove" value="{key}" aria-label="{label}">'
    "{word}</button>"
)


def lines_of(members: Iterable[Any], base: str, country: str, *, can_send: bool) -> SafeString:
    """Return members with ``opted_out`` as lines of a list. ``base`` is the path of the church.

    They are written in Python: templates cost more per line.
    """
    word, label, out = escape(_("Remove")), _("Remove %(name)s"), escape(_("opted out"))
    lines = []
    for member in members:
        key, name = ids.encode(member.pk), called(member, country)
        button = _REMOVE.format(
            place=member.pk, key=key, word=word, label=escape(label % {"name": name})
        )
        lines.append(
            _LINE.format(
                base=escape(base), key=key, name=escape(name),
                number=escape(as_written(member.phone, country)),
                out=f" · {out}" if member.opted_out else "", button=button if can_send else "",
            )
        )  # fmt: skip
    return mark_safe("".join(lines))  # noqa: S308 -- its words are escaped


class GroupPage(GroupsView):
    """A group: its members by ``?search=``, and people to add by ``?find=``."""

    def get(self, request: Any, key: str) -> HttpResponse:
        group = self.counted_group(key)
        words = request.GET.get("search", "")[:100].strip()
        wanted = request.GET.get("find", "")[:100].strip()
        page = paged(
            request, self._members(group, words), partial(ByName, self.church.pk), keep=("search",)
        )
        if request.GET and not page.rows and not words and group.members_count:  # type: ignore[attr-defined] # annotated
            # The last person of this page has been removed.
            return self.go(self.path("group", key))
        context = {
            "group": group,
            "group_id": key,
            "keywords": KEYWORDS.objects(group=group.pk),
            "page": page,
            "lines": lines_of(
                page.rows,
                self.frame.base,
                self.church.country,
                can_send=suffices(self.membership.role, Role.SENDER),
            ),
            "search": words,
            "find": wanted,
            **self._candidates(group, wanted),
        }
        return self.page("koinonia/console/groups/group.html", context)

    def _members(self, group: Group, words: str) -> MemberQuerySet | GivenList[Member]:
        """Return the members of the group by a condition that is quick for its size.

        PostgreSQL does not know the sizes of small groups, and would read all members for three people.
        """
        is_large = group.members_count > FEW  # type: ignore[attr-defined] # annotated
        if is_large and not words:
            return MEMBERS.of(church=self.church.pk, group=group.pk)
        if is_large:
            members = Member.objects.filter(church=self.church, groups=group)
        else:
            members = Member.objects.filter(
                pk__in=[key for (key,) in KEYS_OF_FEW.rows(group=group.pk)]
            )
        return with_opt_outs(members.filter(matching(words, self.church.country)))

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
