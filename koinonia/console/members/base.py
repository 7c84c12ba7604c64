"""Base view of the pages of the members."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery
from django.http import Http404, QueryDict
from django.urls import reverse

from koinonia import ids
from koinonia.console.frame import ConsoleView
from koinonia.models import Conversation, Member
from koinonia.models.member import MemberQuerySet
from koinonia.people.failing_numbers import with_failures

MOST_OTHERS = 5
"""People at the number of a member that pages name."""


class MembersView(ConsoleView):
    section = "members"

    def members(self) -> MemberQuerySet:
        """Return the members of the church, with their groups and failures."""
        members = Member.objects.filter(church=self.church)
        return with_failures(members).prefetch_related("groups")

    def member(self, key: str) -> Member:
        """Return the member with this id; ``thread`` is the key of the conversation.

        Raise Http404 for a member of another church.
        """
        number = ids.decode(key)
        talks = Conversation.objects.filter(church=OuterRef("church"), phone=OuterRef("phone"))
        members = self.members().annotate(thread=Subquery(talks.values("pk")[:1]))
        found = members.filter(pk=number).first() if number is not None else None
        if found is None:
            raise Http404("This church has no such member.")
        return found

    def others(self, member: Member) -> list[Member]:
        """Return further members with this number, such as a spouse."""
        sharing = Member.objects.filter(church=self.church, phone=member.phone)
        return list(sharing.exclude(pk=member.pk).order_by("pk")[:MOST_OTHERS])

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-members-{name}", args=[self.church.slug, *args])

    def path_of(self, member: Member) -> str:
        return self.path("member", ids.encode(member.pk))


def version_in(given: QueryDict, name: str = "version") -> int:
    """Return the version of a member in a sent form; 0 for a bad one: no member has it."""
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
