"""What every app may forget, in one order. Texts, dead letters and audit rows are never among it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from knox.models import AuthToken

import delivery.retention
import realtime.retention
import throttling.retention
from httpopt.versions import counters
from koinonia.api.idempotency import KEPT_FOR
from koinonia.models import Group, IdempotentRequest, Member


def prune(now: datetime, *, dry_run: bool = False) -> Iterator[tuple[str, int]]:
    """One kind after the other: its name, and how many rows were (or would be) deleted."""
    yield from delivery.retention.prune(now, dry_run=dry_run).items()
    yield from realtime.retention.prune(now, dry_run=dry_run).items()
    yield "login_addresses", throttling.retention.prune(now, dry_run=dry_run)
    old_answers = IdempotentRequest.objects.filter(created_at__lte=now - KEPT_FOR)
    yield "idempotent_requests", _delete(old_answers, dry_run)
    yield "tokens", _delete(AuthToken.objects.filter(expiry__lte=now), dry_run)
    yield "sessions", _delete(Session.objects.filter(expire_date__lte=now), dry_run)
    if not dry_run:
        # A release without these columns may have written beside this one.
        Member.objects.complete_search_keys()
        Group.objects.complete_keys()
        counters.compact()


def _delete(
    rows: QuerySet[IdempotentRequest] | QuerySet[AuthToken] | QuerySet[Session], dry_run: bool
) -> int:
    return rows.count() if dry_run else rows.delete()[0]
