from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from koinonia.models import Church, Member


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Whom a broadcast is for: everyone, or the members of groups and single members."""

    everyone: bool
    group_ids: Sequence[int] = ()
    member_ids: Sequence[int] = ()
    as_sent: dict[str, Any]
    """In the client's words, to be shown again."""

    def members(self, church: Church) -> QuerySet[Member]:
        """Each member once, in the order of their ids."""
        members = Member.objects.filter(church=church).order_by("pk")
        if self.everyone:
            return members
        of_groups = Member.groups.through.objects.filter(group_id__in=self.group_ids)
        return members.filter(Q(pk__in=of_groups.values("member_id")) | Q(pk__in=self.member_ids))
