"""Base view of the pages of the members."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery
from django.http import Http404, QueryDict
from django.urls import reverse

from koinonia import ids
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.console.frame import ConsoleView
from koinonia.console.sharing import others_at
from koinonia.models import Conversation, Member
from koinonia.models.member import MemberQuerySet
from koinonia.people.failing_numbers import with_failures


class MembersView(ConsoleView):
    section = "members"

    def members(self) -> MemberQuerySet:
        """Return the members of the church, with their failures."""
        return with_failures(Member.objects.filter(church=self.church))

    def member(self, key: str) -> Member:
        """Return the member with this id; ``thread`` is the key of the conversation.

        Raise Http404 for a member of another church.
        """
        number = ids.decode(key)
        church = self.church.pk
        found = _MEMBER.first(church=church, key=number) if number is not None else None
        if found is None:
            raise Http404("This church has no such member.")
        return found

    def others(self, member: Member) -> list[Member]:
        """Return further members with this number, such as a spouse."""
        return others_at(self.church.pk, member.phone, but=member.pk)

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-members-{name}", args=[self.church.slug, *args])

    def path_of(self, member: Member) -> str:
        return self.path("member", ids.encode(member.pk))


def _member() -> MemberQuerySet:
    talks = Conversation.objects.filter(church=OuterRef("church"), phone=OuterRef("phone"))
    mine = Member.objects.filter(church=Parameter("church"), pk=Parameter("key"))
    return with_failures(mine).annotate(thread=Subquery(talks.values("pk")[:1]))


_MEMBER = PreparedQuery(_member)


def version_in(given: QueryDict, name: str = "version") -> int:
    """Return the version of a member in a sent form; 0 for a bad one: no member has it."""
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
