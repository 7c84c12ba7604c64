"""Numbers that a tenant must not text. An opt-out belongs to (tenant, number) and outlives the recipient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.utils import timezone

from delivery.models import ConsentChange, Direction, Message, OptOut
from delivery.opt_outs.words import requested

_FEW, _MOST = 100, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How an entry comes into the log of consent."""

    source: OptOut.Source
    at: datetime
    by: AbstractBaseUser | AnonymousUser | None = None
    """The user who records it."""
    file_name: str = ""

    def entry(self, tenant_id: Any, number: str, *, opted_out: bool) -> ConsentChange:
        return ConsentChange(
            tenant_id=tenant_id, number=number, opted_out=opted_out, source=self.source.value,
            by_id=self.by.pk if self.by else None, at=self.at, file_name=self.file_name,
        )  # fmt: skip


def opted_out(tenant_id: Any, numbers: Iterable[str]) -> set[str]:
    """Return the members of ``numbers`` that the tenant must not text."""
    wanted = set(numbers)
    if not wanted:
        return wanted
    known = OptOut.objects.filter(tenant_id=tenant_id).values_list("number", flat=True)
    if len(wanted) <= _FEW:
        return set(known.filter(number__in=wanted))
    # Most tenants have few opt-outs: to read them all is cheaper than to ask by 1,000 parameters.
    stopped = set(known[: _MOST + 1])
    if len(stopped) <= _MOST:
        return wanted & stopped
    return set(known.filter(number__in=wanted) if len(wanted) <= _MOST else known) & wanted


def opt_out(
    tenant_id: Any,
    number: str,
    source: OptOut.Source,
    *,
    now: datetime,
    by: AbstractBaseUser | AnonymousUser | None = None,
    file_name: str = "",
) -> bool:
    """Record an opt-out; return False if it was recorded before.

    A repeat keeps the first source and moves ``created_at`` forward. ``by`` is the user who records it,
    ``file_name`` the imported file that contains it.
    """
    said = Record(source=source, at=now, by=by, file_name=file_name)
    with transaction.atomic():
        known, created = OptOut.objects.get_or_create(
            tenant_id=tenant_id, number=number, defaults={"source": source, "created_at": now}
        )
        if created:
            said.entry(tenant_id, number, opted_out=True).save()
        else:
            OptOut.objects.filter(pk=known.pk, created_at__lt=now).update(created_at=now)
    return created


def refused(tenant_id: Any, number: str, *, at: datetime, now: datetime) -> None:
    """Record that the provider refused a message at ``at`` because ``number`` had sent STOP.

    The opt-out dates from the refusal: its report may arrive late, after a START.
    """
    at = min(at, now)
    if not started_since(at, tenant_id, number):
        opt_out(tenant_id, number, OptOut.Source.PROVIDER, now=at)


def started_since(at: datetime, tenant_id: Any, number: str) -> bool:
    """Return True if ``number`` sent the tenant a START after ``at``."""
    later = Message.objects.filter(
        tenant_id=tenant_id,
        direction=Direction.INBOUND,
        from_number=number,
        provider_status_at__gt=at,
    ).values_list("text", flat=True)
    return any(requested(text) == "START" for text in later)


def opt_in(tenant_id: Any, number: str, *, at: datetime | None = None) -> None:
    """End an opt-out. With ``at``, the time of the request, a later opt-out stays in force."""
    opt_outs = OptOut.objects.filter(tenant_id=tenant_id, number=number)
    if at is not None:
        opt_outs = opt_outs.filter(created_at__lte=at)
    with transaction.atomic():
        if opt_outs.delete()[0]:
            said = Record(source=OptOut.Source.KEYWORD, at=at or timezone.now())
            said.entry(tenant_id, number, opted_out=False).save()


def history(tenant_id: Any, number: str | Expression) -> QuerySet[ConsentChange]:
    """Return the opt-outs of a number, their ends and its agreements, the latest first.

    An opt-out from before the log has no entry here: read :class:`OptOut` for the present state.
    """
    changes = ConsentChange.objects.filter(tenant_id=tenant_id, number=number)
    return changes.select_related("by").order_by("-pk")
