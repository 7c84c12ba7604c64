"""Members of a group: in and out, by the staff or by a keyword."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from koinonia.conversations import member_at
from koinonia.models import Church, Group, Member


@dataclass(frozen=True, slots=True)
class Changed:
    """The numbers of members who joined and left."""

    added: int
    removed: int


def change(group: Group, *, add: Collection[int] = (), remove: Collection[int] = ()) -> Changed:
    """Add and remove members by their keys. Leave out members that another request deletes.

    Repeats change nothing: both numbers count actual changes.
    """
    through = Member.groups.through.objects
    with transaction.atomic():
        present = {*Member.objects.filter(pk__in={*add, *remove}).lock_for_change()} & {*add}
        removed, _ = through.filter(group=group, member__in=remove).delete()
        inside = set(
            through.filter(group=group, member__in=present).values_list("member_id", flat=True)
        )
        rows = [
            Member.groups.through(group=group, member_id=key) for key in sorted(present - inside)
        ]
        through.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return Changed(len(rows), removed)


def join(group: Group, church: Church, phone: str) -> tuple[Member, bool]:
    """Add the member with this number; return the member, and True for a new one of the group.

    A number without a member becomes a member with an empty first name and the number as last name:
    lists show it, and texts leave ``{first_name}`` out. Call it with the conversation locked, so that
    two texts of one number make one member.
    """
    member = member_at(church, phone) or Member.objects.create(
        church=church, first_name="", last_name=phone, phone=phone
    )
    return member, bool(change(group, add=[member.pk]).added)


def leave(group: Group, church: Church, phone: str) -> bool:
    """Remove every member with this number, because they share the phone; return whether one left."""
    of_number = Member.objects.filter(church=church, phone=phone).values_list("pk", flat=True)
    return bool(change(group, remove=list(of_number)).removed)
