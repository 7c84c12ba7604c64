"""Pages of the members that may be one person: the list, and the merge."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia import ids
from koinonia.console.members.base import MembersView, version_in
from koinonia.models import DistinctMembers, Member
from koinonia.models.member import with_opt_outs
from koinonia.numbers import grouped
from koinonia.people import merging
from koinonia.people.doubles import pairs
from koinonia.phone import is_number


class DoublesPage(MembersView):
    def get(self, request: Any) -> HttpResponse:
        found, more = pairs(self.church)
        return self.page("koinonia/console/members/doubles.html", {"pairs": found, "more": more})

    def post(self, request: Any) -> HttpResponse:
        """Mark a pair as two people."""
        one = self.member(request.POST.get("one", ""))
        other = self.member(request.POST.get("other", ""))
        older, newer = sorted((one, other), key=lambda member: member.pk)
        if older != newer:
            DistinctMembers.objects.get_or_create(one=older, other=newer)
        self.notice(_("They are kept as two people."))
        return self.go(self.path("doubles"))


class MergePage(MembersView):
    """Two members beside each other. The form chooses the values of the remaining member."""

    read_role = MembersView.write_role

    def get(self, request: Any, key: str, other: str) -> HttpResponse:
        return self._shown(self.member(key), self.member(other))

    def post(self, request: Any, key: str, other: str) -> HttpResponse:
        into, member = self.member(key), self.member(other)
        both = {ids.encode(one.pk): one for one in (into, member)}
        given = request.POST
        chosen = {
            name: _shown(both.get(given.get(name, ""), into), name) for name in merging.KEPT_FIELDS
        }
        versions = {one.pk: version_in(given, f"version-{name}") for name, one in both.items()}
        try:
            merged = merging.merge(
                self.church, member.pk, into.pk, merging.Kept(**chosen),
                by=self.user, now=timezone.now(), versions=versions,
            )  # fmt: skip
        except (merging.MemberChangedError, merging.MemberGoneError):
            return self._shown(into, member, 412)
        sentence = _("They are one person now.")
        if merged.texts:
            counted = ngettext(
                "%(texts)s text came along.", "%(texts)s texts came along.", merged.texts
            )
            sentence = f"{sentence} {counted % {'texts': grouped(merged.texts)}}"
        self.notice(sentence)
        return self.go(self.path_of(into))

    def _shown(self, into: Member, member: Member, status: int = 200) -> HttpResponse:
        members = with_opt_outs(self.members()).prefetch_related("groups")
        both = members.filter(pk__in=[into.pk, member.pk]).in_bulk()
        people = [both[key] for key in (into.pk, member.pk) if key in both]
        rows = [
            {"name": name, "label": label, "values": _values(people, name)}
            for name, label in (
                ("first_name", _("First name")),
                ("last_name", _("Last name")),
                ("phone", _("Mobile number")),
            )
            if len({_shown(one, name) for one in people}) > 1
        ]
        context = {"people": people, "into": into, "member": member, "rows": rows,
                   "changed": status == 412}  # fmt: skip
        return self.page("koinonia/console/members/merge.html", context, status)


def _values(people: list[Member], name: str) -> list[tuple[Member, str, bool]]:
    """Return each member with the value, and whether it is the first one that is not empty."""
    values = [(one, _shown(one, name)) for one in people]
    chosen = next((one for one, value in values if value), people[0])
    return [(one, value, one is chosen) for one, value in values]


def _shown(member: Member, name: str) -> str:
    """Return a value of the member; "" for the number in place of a last name."""
    value = str(getattr(member, name))
    return "" if name == "last_name" and is_number(value) else value
