"""The statements of the page of a group, compiled once."""

from __future__ import annotations

from django.db.models import Count

from koinonia.api.prepared_list import PreparedList
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.models import Group, Keyword, Member
from koinonia.models.member import with_opt_outs

FEW = 500
"""A group of this size is read whole and sorted: its people stand far apart in the church's index of
names. A page of a larger group is read along that index."""

GROUP = PreparedQuery(
    lambda: Group.objects.filter(church=Parameter("church"), pk=Parameter("key")).annotate(
        members_count=Count("members")
    )
)
KEYWORDS = PreparedQuery(
    lambda: Keyword.objects.filter(group=Parameter("group")).order_by("word").values("word")[:20]
)
MEMBERS = PreparedList(
    lambda: with_opt_outs(
        Member.objects.filter(church=Parameter("church"), groups=Parameter("group"))
    )
)
"""The members of a large group."""
KEYS_OF_FEW = PreparedQuery(
    lambda: (
        Member.groups.through.objects.filter(group=Parameter("group"))
        .order_by("pk")
        .values_list("member")[:FEW]
    )
)
