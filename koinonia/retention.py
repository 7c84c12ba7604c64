"""Deletion of old rows in all apps, by ``manage.py prune`` and by a worker at night.

Texts and audit rows are deleted only if a setting says so. Opt-outs are never deleted, nor texts that are on
their way or wait for a person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from knox.models import AuthToken

import delivery.retention
import koinonia.webhooks.retention
import realtime.retention
import throttling.logins
from delivery.retention import Archives, Pace, StoppedError
from delivery.retention.old_rows import archive_and_delete
from httpopt.versions import counters
from koinonia import deletion
from koinonia.accounts import keys, session_store
from koinonia.api.idempotency import KEPT_FOR
from koinonia.media.storage import (
    prunable,
)
from koinonia.member_import.kept import old_files
from koinonia.models import (
    Alert,
    AlertNotice,
    AuditEntry,
    Conversation,
    Group,
    IdempotentRequest,
    Invitation,
    Member,
    TokenDetails,
)

logger = logging.getLogger(__name__)

ALERTS_KEPT = timedelta(days=90)


def prune_by_night(now: datetime, stopped: Callable[[], bool]) -> None:
    """Delete as :func:`prune`, with a line of the log per kind. Return early once ``stopped()`` is true."""
    try:
        for kind, number in prune(now, stopped=stopped):
            if number:
                extra = {"action": "pruned", "kind": kind, "rows": number}
                logger.info("Deleted old rows", extra=extra)
    except StoppedError:
        logger.info("The deletion of old rows was stopped", extra={"action": "prune_stopped"})


def prune(
    now: datetime, *, dry_run: bool = False, stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[str, int]]:
    """Delete old rows, kind by kind; yield each kind's name and number of rows.

    ``dry_run`` counts the rows and deletes none; else the log has a line at the end. Raises StoppedError between two transactions once
    ``stopped()`` is true.
    """
    archives, pace = Archives(settings.ARCHIVE_DIR, now), Pace(stopped=stopped)
    began, rows = time.monotonic(), 0
    try:
        for kind, number in _prune(now, dry_run, archives, pace):
            rows += number
            yield kind, number
    finally:
        if not dry_run:
            archives.close()
    if not dry_run:
        seconds = round(time.monotonic() - began, 1)
        extra = {"action": "prune_done", "rows": rows, "seconds": seconds}
        logger.info("The deletion of old rows is done", extra=extra)


def _prune(
    now: datetime, dry_run: bool, archives: Archives, pace: Pace
) -> Iterator[tuple[str, int]]:
    yield from delivery.retention.prune(now, dry_run=dry_run, archives=archives, pace=pace).items()
    yield (
        "broadcasts",
        deletion.count_broadcasts(now) if dry_run
        else deletion.delete_broadcasts(now, archives, pace),
    )  # fmt: skip
    if settings.KEEP_AUDIT_DAYS is not None:
        before = now - timedelta(days=settings.KEEP_AUDIT_DAYS)
        entries = LogEntry.objects.filter(action_time__lt=before)
        yield (
            "admin_log",
            entries.count() if dry_run else archive_and_delete(entries, archives, pace),
        )
        acts = AuditEntry.objects.filter(at__lt=before)
        yield "acts", acts.count() if dry_run else archive_and_delete(acts, archives, pace)
    yield from realtime.retention.prune(now, dry_run=dry_run).items()
    yield "webhook_deliveries", koinonia.webhooks.retention.prune(now, dry_run=dry_run)
    yield "login_addresses", throttling.logins.prune(now, dry_run=dry_run)
    old_answers = IdempotentRequest.objects.filter(created_at__lte=now - KEPT_FOR)
    yield "idempotent_requests", _delete(old_answers, dry_run)
    yield "tokens", _delete(keys.prunable(now), dry_run)
    yield "sessions", _delete(Session.objects.filter(expire_date__lte=now), dry_run)
    ended = now - ALERTS_KEPT
    yield "alerts", _delete(Alert.objects.filter(over_at__lt=ended), dry_run)
    yield "alert_notices", _delete(AlertNotice.objects.filter(made_at__lt=ended), dry_run)
    yield "media", _delete(prunable(now), dry_run)
    yield "member_files", _delete(old_files(now), dry_run)
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
        Conversation.objects.complete_inbox()
        counters.compact()


def _delete(rows: QuerySet[Any, Any], dry_run: bool) -> int:
    if dry_run:
        return rows.count()
    # Count these rows, without the rows that cascade.
    return rows.delete()[1].get(rows.model._meta.label, 0)


def _orphaned_details() -> QuerySet[TokenDetails]:
    """Return details without a token: an earlier release deletes tokens and leaves their details."""
    return TokenDetails.objects.exclude(token_id__in=AuthToken.objects.values("digest"))
