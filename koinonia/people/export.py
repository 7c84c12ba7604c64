"""Members as CSV, with the columns that the import reads."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from delivery.csv_lines import line
from koinonia import group_lists
from koinonia.models import Member
from koinonia.phone import is_number

COLUMNS = ("first_name", "last_name", "phone", "groups", "opted_out", "added_on")
_AT_ONCE = 500


def lines(members: QuerySet[Member]) -> Iterator[str]:
    """Yield the heading, then parts of up to 500 lines, oldest member first.

    The members have ``opted_out``. Each part is one query by key, without a transaction: a member
    that is added or deleted during the export can be in it or not.
    """
    yield line(COLUMNS)
    last = 0
    while rows := list(members.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        last = rows[-1].pk
        yield "".join(map(_line, rows))


def _line(member: Member) -> str:
    groups = sorted(group.name for group in member.groups.all())
    return line(
        (
            member.first_name,
            "" if is_number(member.last_name) else member.last_name,
            member.phone,
            group_lists.written(groups),
            "yes" if member.opted_out else "no",  # type: ignore[attr-defined] # annotated
            member.created_at.date().isoformat(),
        )
    )
