"""The memberships of a user, with the state of each church that the frame shows: one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from delivery import conf
from delivery.models import SpendLimit
from koinonia.api.permissions import MEMBERSHIP_COLUMNS, membership_from
from koinonia.api.prepared_query import PreparedQuery
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


def of_user(user: User, slug: str, now: datetime) -> tuple[list[Staff], ChurchState | None]:
    """Return the memberships by name of the church, and the state of the church ``slug``."""
    memberships, state = [], None
    at = connection.ops.adapt_datetimefield_value(now)
    for *row, unread, provider, waits_until in _ROWS.rows(0, at, user.pk):
        membership = membership_from(row)
        memberships.append(membership)
        if membership.church.slug == slug:
            state = ChurchState(unread or 0, provider or conf.default_provider(), waits_until)
    return memberships, state


def _rows() -> QuerySet[Any, Any]:
    unread = (
        Conversation.objects.filter(church=OuterRef("church"), unread_count__gt=0)
        .order_by()
        .values("church")
        .annotate(texts=Sum("unread_count"))
    )
    number = SendingNumber.objects.filter(number=OuterRef("church__phone_number"))
    limit = SpendLimit.objects.filter(tenant=OuterRef("church"), waits_until__gt=timezone.now())
    return (
        Staff.objects.annotate(
            unread=Subquery(unread.values("texts")),
            provider=Subquery(number.values("provider")),
            waits_until=Subquery(limit.values("waits_until")),
        )
        .filter(user=0)
        .order_by("church__name", "church_id")
        .values_list(*MEMBERSHIP_COLUMNS, "unread", "provider", "waits_until")
    )


_ROWS = PreparedQuery(_rows, ordered=True)
