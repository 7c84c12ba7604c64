"""The memberships of a user, with the state of each church that the frame shows: one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import OuterRef, Q, Subquery, Sum

from delivery import conf
from delivery.models import SpendLimit, TenantStop
from koinonia.models import Conversation, SendingNumber, Staff


@dataclass(frozen=True, slots=True)
class ChurchState:
    """The part of a church's state that is read with the membership."""

    unread: int
    """The number of unread texts."""
    provider: str
    """The alias of the account of the sending number."""
    waits_until: datetime | None
    """End of the wait for the daily cap; None if no text waits for it."""
    is_stopped: bool
    """A person of the support has stopped the texts of this church."""
    stopped_until: datetime | None
    """When the stop ends by itself; None: a person ends it."""


def of_user(user: User, slug: str, now: datetime) -> tuple[list[Staff], ChurchState | None]:
    """Return the memberships by name of the church, and the state of the church ``slug``."""
    unread = (
        Conversation.objects.filter(church=OuterRef("church"), unread_count__gt=0)
        .order_by()
        .values("church")
        .annotate(texts=Sum("unread_count"))
    )
    number = SendingNumber.objects.filter(number=OuterRef("church__phone_number"))
    limit = SpendLimit.objects.filter(tenant=OuterRef("church"), waits_until__gt=now)
    stop = (
        TenantStop.objects.filter(Q(until__isnull=True) | Q(until__gt=now))
        .filter(tenant=OuterRef("church"), ended_at__isnull=True)
        .order_by()
    )
    rows = list(
        Staff.objects.filter(user=user)
        .select_related("church")
        .order_by("church__name", "church_id")
        .annotate(
            unread=Subquery(unread.values("texts")),
            provider=Subquery(number.values("provider")),
            waits_until=Subquery(limit.values("waits_until")),
            stop=Subquery(stop.values("pk")),
            stopped_until=Subquery(stop.values("until")),
        )
    )
    here = next((row for row in rows if row.church.slug == slug), None)
    if here is None:
        return list(rows), None
    state = ChurchState(
        unread=here.unread or 0,
        provider=here.provider or conf.default_provider(),
        waits_until=here.waits_until,
        is_stopped=here.stop is not None,
        stopped_until=here.stopped_until,
    )
    return list(rows), state
