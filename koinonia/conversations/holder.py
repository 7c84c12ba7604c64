"""The member whom a text to or from a number concerns."""

from __future__ import annotations

from koinonia.models import Church, Conversation, Member
from koinonia.models.number_holder import first_of


def member_at(church: Church, phone: str) -> Member | None:
    """Return the member of this number: the one whom a text named last, else the oldest."""
    members = Member.objects.filter(church=church, phone=phone)
    named = Conversation.objects.filter(church=church, phone=phone).values_list(
        "named_member", flat=True
    )
    key = first_of(members, named.first())
    return Member.objects.get(pk=key) if key else None


def remember_named(conversation: int, member: Member) -> None:
    """Note that a text of this conversation named ``member`` and nobody else of the number."""
    rows = Conversation.objects.filter(pk=conversation)
    rows.exclude(named_member=member).update(named_member=member)
