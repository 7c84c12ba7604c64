"""Deletion of expired rows in all apps. Messages, dead letters and audit rows are never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from knox.models import AuthToken

import delivery.retention
import realtime.retention
import throttling.logins
from httpopt.versions import counters
from koinonia.accounts import session_store
from koinonia.api.idempotency import KEPT_FOR
from koinonia.models import Group, IdempotentRequest, Invitation, Member, TokenDetails


def prune(now: datetime, *, dry_run: bool = False) -> Iterator[tuple[str, int]]:
    """Delete expired rows, kind by kind; yield each kind's name and number of rows.

    ``dry_run`` counts the rows and deletes none.
    """
    yield from delivery.retention.prune(now, dry_run=dry_run).items()
    yield from realtime.retention.prune(now, dry_run=dry_run).items()
    yield "login_addresses", throttling.logins.prune(now, dry_run=dry_run)
    old_answers = IdempotentRequest.objects.filter(created_at__lte=now - KEPT_FOR)
    yield "idempotent_requests", _delete(old_answers, dry_run)
    yield "tokens", _delete(AuthToken.objects.filter(expiry__lte=now), dry_run)
    yield "sessions", _delete(Session.objects.filter(expire_date__lte=now), dry_run)
    yield "invitations", _delete(Invitation.objects.filter(expires_at__lte=now), dry_run)
    yield (
        "ended_sessions",
        session_store.count_orphans() if dry_run else session_store.delete_orphans(),
    )
    yield "token_details", _delete(_orphaned_details(), dry_run)
    if not dry_run:
        # During an upgrade, an earlier release writes rows without these columns.
        Member.objects.complete_search_keys()
        Group.objects.complete_keys()
        counters.compact()


def _delete(rows: QuerySet[Any, Any], dry_run: bool) -> int:
    if dry_run:
        return rows.count()
    # Count these rows, without the rows that cascade.
    return rows.delete()[1].get(rows.model._meta.label, 0)


def _orphaned_details() -> QuerySet[TokenDetails]:
    """Return details without a token: an earlier release deletes tokens and leaves their details."""
    return TokenDetails.objects.exclude(token_id__in=AuthToken.objects.values("digest"))
