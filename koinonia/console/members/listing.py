"""The list of members with search and filters, and its export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from delivery.models import Message
from koinonia import audit, ids
from koinonia.api.pagination import BestMatchFirst, ByName
from koinonia.api.prepared_list import PreparedList
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.console.members.base import MembersView
from koinonia.console.paging import MOST_ROWS, Page, paged
from koinonia.http.streamed_csv import streamed_csv
from koinonia.models import Group, Member, Role
from koinonia.models.member import MemberQuerySet, called, with_opt_outs
from koinonia.people.export import lines
from koinonia.people.failing_numbers import failing, with_failures
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


def rows_of(members: Sequence[Any], country: str) -> list[Row]:
    """Return the lines of members with ``opted_out`` and failures."""
    groups = _groups_of([member.pk for member in members])
    return [_row(member, sorted(groups[member.pk]), country) for member in members]


def _row(member: Any, names: list[str], country: str) -> Row:
    more = " …" if len(names) > _SHOWN_GROUPS else ""
    return Row(
        key=ids.encode(member.pk),
        name=called(member, country),
        number=as_written(member.phone, country),
        groups=", ".join(names[:_SHOWN_GROUPS]) + more,
        opted_out=member.opted_out,
        fails=bool(member.last_failed and member.one_before_failed),
    )


def _groups_of(members: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the groups of each member of a page."""
    found: dict[int, list[str]] = {key: [] for key in members}
    if members:
        # Further places repeat the first member: one statement serves short pages too.
        places = zip_longest(_PLACES, members, fillvalue=members[0])
        for key, name in _GROUP_NAMES.rows(**{str(place): key for place, key in places}):
            found[key].append(name)
    return found


_PLACES = [f"member_{number}" for number in range(MOST_ROWS)]
_GROUP_NAMES = PreparedQuery(
    lambda: Member.objects.filter(
        pk__in=[Parameter(name) for name in _PLACES], groups__isnull=False
    ).values_list("pk", "groups__name")
)
_MEMBERS = PreparedList(
    lambda: with_opt_outs(with_failures(Member.objects.filter(church=Parameter("church"))))
)
_GROUPS = PreparedQuery(
    lambda: (
        Group.objects.filter(church=Parameter("church"))
        .order_by("name")
        .values_list("pk", "name")[:_MOST_GROUPS]
    )
)


class MembersPage(MembersView):
    """The members by name, or by the match with a search."""

    def get(self, request: Any) -> HttpResponse:
        chosen = Chosen.from_query(request.GET)
        page, more_match = self._page(chosen)
        return self.page(
            "koinonia/console/members/list.html",
            {
                "page": page,
                "rows": rows_of(page.rows, self.church.country),
                "chosen": chosen,
                "more_match": more_match,
                "group_id": ids.encode(chosen.group) if chosen.group else "",
                "groups": [
                    (ids.encode(key), name) for key, name in _GROUPS.rows(church=self.church.pk)
                ],
                "states": STATES,
                "may_be_first": not chosen.any and not page.rows and not page.newer,
            },
        )

    def _page(self, chosen: Chosen) -> tuple[Page, bool]:
        """Return the page of the chosen members, and whether more match a search than are listed."""
        if not chosen.any:
            by_name = partial(ByName, self.church.pk)
            return paged(self.request, _MEMBERS.of(church=self.church.pk), by_name), False
        country = self.church.country
        members, more_match = chosen.of(self.members(), country), False
        if chosen.search:
            members, more_match = found(members, chosen.search, country)
        order = partial(BestMatchFirst if chosen.search else ByName, self.church.pk)
        return paged(self.request, members, order, keep=FILTERS), more_match


class ExportPage(MembersView):
    """The chosen members as a file. A form, because the export is noted in the audit log."""

    write_role = Role.VIEWER
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        members = Chosen.from_query(request.POST).of(self.members(), self.church.country)
        members = members.prefetch_related("groups")
        audit.record(self.church, self.user, "members.exported")
        return streamed_csv(request, lines(members), f"{self.church.slug}-members.csv")
