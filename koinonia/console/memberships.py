"""The memberships of a user, with the state of each church that the frame shows: one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery, Sum

from delivery import conf
from delivery.models import SpendLimit, TenantStop
from koinonia.api.permissions import MEMBERSHIP_COLUMNS, membership_from
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.models import Conversation, SendingNumber, Staff, WebhookEndpoint

_DEAD = (WebhookEndpoint.Off.GONE.value, WebhookEndpoint.Off.FAILING.value)


@dataclass(frozen=True, slots=True)
class ChurchState:
    """The part of a church's state that is read with the membership."""

    unread: int
    """The number of unread texts."""
    provider: str
    """The alias of the account of the sending number."""
    waits_until: datetime | None
    """End of the wait for the daily cap; None if no text waits for it."""
    is_stopped: bool = False
    """A person of the support has stopped the texts of this church."""
    stopped_until: datetime | None = None
    """The time at which the stop ends by itself; None: a person ends it."""
    has_dead_webhook: bool = False
    """A webhook was switched off because its receiver fails."""


def of_user(user: User, slug: str, now: datetime) -> tuple[list[Staff], ChurchState | None]:
    """Return the memberships by name of the church, and the state of the church ``slug``."""
    memberships, state = [], None
    rows = _ROWS.rows(user=user.pk, now=now)
    for *row, unread, provider, waits_until, stop, until, dead in rows:
        membership = membership_from(row)
        memberships.append(membership)
        if membership.church.slug == slug:
            is_stopped = stop is not None and (until is None or until > now)
            state = ChurchState(
                unread or 0, provider or conf.default_provider(), waits_until, is_stopped, until,
                dead is not None,
            )  # fmt: skip
    return memberships, state


def _rows() -> QuerySet[Any, Any]:
    unread = (
        Conversation.objects.filter(church=OuterRef("church"), unread_count__gt=0)
        .order_by()
        .values("church")
        .annotate(texts=Sum("unread_count"))
    )
    number = SendingNumber.objects.filter(number=OuterRef("church__phone_number"))
    dead = WebhookEndpoint.objects.filter(church=OuterRef("church"), off__in=_DEAD)
    limit = SpendLimit.objects.filter(tenant=OuterRef("church"), waits_until__gt=Parameter("now"))
    stop = TenantStop.objects.filter(tenant=OuterRef("church"), ended_at__isnull=True).order_by()
    return (
        Staff.objects.annotate(
            unread=Subquery(unread.values("texts")),
            provider=Subquery(number.values("provider")),
            waits_until=Subquery(limit.values("waits_until")),
            stop=Subquery(stop.values("pk")),
            stopped_until=Subquery(stop.values("until")),
            dead_webhook=Subquery(dead.values("pk")[:1]),
        )
        .filter(user=Parameter("user"))
        .order_by("church__name", "church_id")
        .values_list(
            *MEMBERSHIP_COLUMNS,
            "unread",
            "provider",
            "waits_until",
            "stop",
            "stopped_until",
            "dead_webhook",
        )
    )


_ROWS = PreparedQuery(_rows)
