"""The audience of a broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from koinonia import ids
from koinonia.models import Church, Member


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The audience: all members, or the members of groups and single members."""

    everyone: bool
    group_ids: Sequence[int] = ()
    member_ids: Sequence[int] = ()
    as_sent: dict[str, Any]
    """The client's JSON, which answers show again."""

    @classmethod
    def from_json(cls, as_sent: dict[str, Any]) -> Audience:
        """Return the audience from stored JSON. Its groups can be deleted by now."""
        return cls(
            everyone=bool(as_sent.get("all")),
            group_ids=_keys(as_sent.get("groups", ())),
            member_ids=_keys(as_sent.get("members", ())),
            as_sent=as_sent,
        )

    def members(self, church: Church) -> QuerySet[Member]:
        """Return each member once, oldest first."""
        members = Member.objects.filter(church=church).order_by("pk")
        if self.everyone:
            return members
        of_groups = Member.groups.through.objects.filter(group_id__in=self.group_ids)
        return members.filter(Q(pk__in=of_groups.values("member_id")) | Q(pk__in=self.member_ids))


def _keys(encoded: Sequence[str]) -> list[int]:
    return [key for key in map(ids.decode, encoded) if key is not None]
