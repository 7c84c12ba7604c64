"""What every app may forget, in one order. Texts, dead letters and audit rows are never among it."""

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
    """One kind after the other: its name, and how many rows were (or would be) deleted."""
    yield from delivery.retention.prune(now, dry_run=dry_run).items()
    yield from realtime.retention.prune(now, dry_run=dry_run).items()
    yield "login_addresses", throttling.logins.prune(now, dry_run=dry_run)
    old_answers = IdempotentRequest.objects.filter(created_at__lte=now - KEPT_FOR)
    yield "idempotent_requests", _delete(old_answers, dry_run)
    yield "tokens", _delete(AuthToken.objects.filter(expiry__lte=now), dry_run)
    yield "sessions", _delete(Session.objects.filter(expire_date__lte=now), dry_run)
    yield "invitations", _delete(Invitation.objects.filter(expires_at__lte=now), dry_run)
    yield "ended_sessions", session_store.ended() if dry_run else session_store.forget_ended()
    yield "token_details", _delete(_without_a_token(), dry_run)
    if not dry_run:
        # A release without these columns may have written beside this one.
        Member.objects.complete_search_keys()
        Group.objects.complete_keys()
        counters.compact()


def _delete(rows: QuerySet[Any, Any], dry_run: bool) -> int:
    if dry_run:
        return rows.count()
    # Rows that go with them are not counted.
    return rows.delete()[1].get(rows.model._meta.label, 0)


def _without_a_token() -> QuerySet[TokenDetails]:
    """Return details whose token was deleted by an earlier release, which does not know them."""
    return TokenDetails.objects.exclude(token_id__in=AuthToken.objects.values("digest"))
