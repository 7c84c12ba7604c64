"""The list of members with search and filters, and its export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from delivery.models import Message
from koinonia import audit, ids
from koinonia.api.pagination import BestMatchFirst, ByName
from koinonia.console.members.base import MembersView
from koinonia.console.paging import paged
from koinonia.http.streamed_csv import streamed_csv
from koinonia.models import Group, Role
from koinonia.models.member import MemberQuerySet, called, with_opt_outs
from koinonia.people.export import lines
from koinonia.people.failing_numbers import failing
from koinonia.people.search import found, matching
from koinonia.phone import as_written

_MOST_GROUPS = 1_000
_SHOWN_GROUPS = 6
STATES = {
    "out": _("Opted out"),
    "failing": _("Texts always fail"),
    "new": _("No texts yet"),
}
FILTERS = ("search", "group", "state")


@dataclass(frozen=True)
class Chosen:
    """The search and the filters of a request. Unknown values choose nothing."""

    search: str
    group: int | None
    state: str

    @classmethod
    def from_query(cls, query: QueryDict) -> Chosen:
        state = query.get("state", "")
        return cls(
            search=query.get("search", "").strip()[:100],
            group=ids.decode(query.get("group", "")),
            state=state if state in STATES else "",
        )

    @property
    def any(self) -> bool:
        return bool(self.search or self.group or self.state)

    def of(self, members: MemberQuerySet, country: str) -> MemberQuerySet:
        """Return the chosen members. ``members`` come from `with_failures`; numbers are typed as in ``country``."""
        members = with_opt_outs(members)
        if self.group:
            members = members.filter(groups=self.group)
        if self.state == "out":
            members = members.filter(**{"opted_out": True})
        elif self.state == "failing":
            members = failing(members)
        elif self.state == "new":
            # One index probe for each member: for NOT EXISTS, PostgreSQL may read all texts instead.
            texts = Message.objects.filter(recipient=OuterRef("pk")).order_by("-pk").values("pk")
            members = members.alias(text=Subquery(texts[:1])).filter(text=None)
        if self.search:
            members = members.filter(matching(self.search, country))
        return members


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. Made in Python: templates cost more per line."""

    key: str
    name: str
    number: str
    groups: str
    opted_out: bool
    fails: bool


def row_of(member: Any, country: str) -> Row:
    """Return the line of a member with ``opted_out`` and failures."""
    names = sorted(group.name for group in member.groups.all())
    more = " …" if len(names) > _SHOWN_GROUPS else ""
    return Row(
        key=ids.encode(member.pk),
        name=called(member, country),
        number=as_written(member.phone, country),
        groups=", ".join(names[:_SHOWN_GROUPS]) + more,
        opted_out=member.opted_out,
        fails=bool(member.last_failed and member.one_before_failed),
    )


class MembersPage(MembersView):
    """The members by name, or by the match with a search."""

    def get(self, request: Any) -> HttpResponse:
        chosen = Chosen.from_query(request.GET)
        members, more_match = chosen.of(self.members(), self.church.country), False
        if chosen.search:
            members, more_match = found(members, chosen.search, self.church.country)
        order = BestMatchFirst if chosen.search else ByName
        page = paged(request, members, order, keep=FILTERS)
        groups = Group.objects.filter(church=self.church).order_by("name")[:_MOST_GROUPS]
        return self.page(
            "koinonia/console/members/list.html",
            {
                "page": page,
                "rows": [row_of(member, self.church.country) for member in page.rows],
                "chosen": chosen,
                "more_match": more_match,
                "group_id": ids.encode(chosen.group) if chosen.group else "",
                "groups": [(ids.encode(group.pk), group.name) for group in groups],
                "states": STATES,
                "may_be_first": not chosen.any and not page.rows and not page.newer,
            },
        )


class ExportPage(MembersView):
    """The chosen members as a file. A form, because the export is noted in the audit log."""

    write_role = Role.VIEWER
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        members = Chosen.from_query(request.POST).of(self.members(), self.church.country)
        audit.record(self.church, self.user, "members.exported")
        return streamed_csv(request, lines(members), f"{self.church.slug}-members.csv")
