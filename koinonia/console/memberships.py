"""The memberships of a user, with the state of each church that the frame shows: one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Subquery, Sum

from delivery import conf
from delivery.models import SpendLimit
from koinonia.models import Conversation, SendingNumber, Staff, WebhookEndpoint

_DEAD = (WebhookEndpoint.Off.GONE, WebhookEndpoint.Off.FAILING)


@dataclass(frozen=True, slots=True)
class ChurchState:
    """The part of a church's state that is read with the membership."""

    unread: int
    """The number of unread texts."""
    provider: str
    """The alias of the account of the sending number."""
    waits_until: datetime | None
    """End of the wait for the daily cap; None if no text waits for it."""
    has_dead_webhook: bool = False
    """A webhook was switched off because its receiver fails."""


def of_user(user: User, slug: str, now: datetime) -> tuple[list[Staff], ChurchState | None]:
    """Return the memberships by name of the church, and the state of the church ``slug``."""
    unread = (
        Conversation.objects.filter(church=OuterRef("church"), unread_count__gt=0)
        .order_by()
        .values("church")
        .annotate(texts=Sum("unread_count"))
    )
    number = SendingNumber.objects.filter(number=OuterRef("church__phone_number"))
    dead = WebhookEndpoint.objects.filter(church=OuterRef("church"), off__in=_DEAD)
    limit = SpendLimit.objects.filter(tenant=OuterRef("church"), waits_until__gt=now)
    rows = list(
        Staff.objects.filter(user=user)
        .select_related("church")
        .order_by("church__name", "church_id")
        .annotate(
            unread=Subquery(unread.values("texts")),
            provider=Subquery(number.values("provider")),
            waits_until=Subquery(limit.values("waits_until")),
            has_dead_webhook=Exists(dead),
        )
    )
    here = next((row for row in rows if row.church.slug == slug), None)
    if here is None:
        return list(rows), None
    state = ChurchState(
        here.unread or 0, here.provider or conf.default_provider(), here.waits_until,
        here.has_dead_webhook,
    )  # fmt: skip
    return list(rows), state
