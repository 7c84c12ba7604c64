"""The people who share a number, such as a couple."""

from __future__ import annotations

from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.models import Member

MOST_OTHERS = 5
"""The further people at one number that a page names."""

_OTHERS = PreparedQuery(
    lambda: (
        Member.objects.filter(church=Parameter("church"), phone=Parameter("phone"))
        .exclude(pk=Parameter("but"))
        .order_by("pk")[:MOST_OTHERS]
    )
)


def others_at(church: int, phone: str, *, but: int) -> list[Member]:
    """Return the members of a church with this number, without the member ``but``."""
    return _OTHERS.objects(church=church, phone=phone, but=but)
