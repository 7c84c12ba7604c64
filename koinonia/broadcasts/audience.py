"""The audience of a broadcast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery, Window

from koinonia import ids
from koinonia.models import Church, Conversation, Member
from koinonia.models.member import MemberQuerySet, known_name

_AT_ONCE = 1_000
"""Members that are read from the database at a time."""


class Person(NamedTuple):
    """A member as a recipient: the columns that rendering and addressing need."""

    pk: int
    first_name: str
    last_name: str
    phone: str
    thread: int | None
    """The conversation with the number; None if there is none yet."""

    @property
    def id(self) -> int:
        return self.pk

    @property
    def name(self) -> str:
        return known_name(self.first_name, self.last_name)


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The audience: all members, or the members of groups and single members.

    Members of an excluded group are left out, however they were chosen.
    """

    everyone: bool
    group_ids: Sequence[int] = ()
    member_ids: Sequence[int] = ()
    excluded_ids: Sequence[int] = ()
    """The groups whose members are left out."""
    as_sent: dict[str, Any]
    """The client's JSON, which answers show again."""

    @classmethod
    def from_json(cls, as_sent: dict[str, Any]) -> Audience:
        """Return the audience from stored JSON. Its groups can be deleted by now."""
        return cls(
            everyone=bool(as_sent.get("all")),
            group_ids=_keys(as_sent.get("groups", ())),
            member_ids=_keys(as_sent.get("members", ())),
            excluded_ids=_keys(as_sent.get("exclude_groups", ())),
            as_sent=as_sent,
        )

    def members(self, church: Church) -> MemberQuerySet:
        """Return each member once, oldest first."""
        members: MemberQuerySet = Member.objects.filter(church=church).order_by("pk")
        if self.excluded_ids:
            members = members.exclude(pk__in=_members_of(self.excluded_ids))
        if self.everyone:
            return members
        return members.filter(Q(pk__in=_members_of(self.group_ids)) | Q(pk__in=self.member_ids))

    def people(self, church: Church) -> AbstractContextManager[Iterator[Person]]:
        """Read the members in slices.

        Members with one number follow each other, at the place of the oldest of them.
        """
        return _in_slices(self.members(church))

    def locked_people(self, church: Church) -> AbstractContextManager[Iterator[Person]]:
        """Read :meth:`people`, locked against deletion until the transaction ends.

        Members that another transaction has just deleted are left out, and so are members that it
        has just added: they are not locked.
        """
        members = self.members(church)
        if connection.vendor == "postgresql":
            members = members.filter(pk__lte=members.lock_all_against_deletion())
        return _in_slices(members)


@contextmanager
def _in_slices(members: QuerySet[Member]) -> Iterator[Iterator[Person]]:
    of_number = Conversation.objects.filter(church=OuterRef("church"), phone=OuterRef("phone"))
    rows = (
        members.annotate(
            thread=Subquery(of_number.values("pk")),
            oldest=Window(Min("pk"), partition_by=F("phone")),
        )
        .order_by("oldest", "pk")
        .values_list("pk", "first_name", "last_name", "phone", "thread")
    )
    # Read by a cursor: a query by key would sort the audience again for each slice.
    sql, parameters = rows.query.sql_with_params()
    with _reading(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        slices = iter(lambda: cursor.fetchmany(_AT_ONCE), [])
        yield map(Person._make, chain.from_iterable(slices))


def _reading() -> AbstractContextManager[Any]:
    """Open the transaction that a cursor of PostgreSQL lives in (decision 28).

    On SQLite a transaction would wait for all writers, and a cursor needs none.
    """
    if connection.vendor == "postgresql":
        return transaction.atomic(savepoint=False)
    return nullcontext()


def _members_of(group_ids: Sequence[int]) -> QuerySet[Any, int]:
    in_groups = Member.groups.through.objects.filter(group_id__in=group_ids)
    return in_groups.values_list("member_id", flat=True)


def _keys(encoded: Sequence[str]) -> list[int]:
    return [key for key in map(ids.decode, encoded) if key is not None]
