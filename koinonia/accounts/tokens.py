"""Bearer tokens of a user.

knox stores the token's digest and its expiry; ``TokenDetails`` stores further columns. A token is
valid while its fingerprint matches the user's current password hash. So each way to change a password
(API, admin, command, reset, SQL) invalidates the token at once, even without deleting its row.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from knox.models import AuthToken

from koinonia.models import TokenDetails

MAX_LOGINS = 25
"""Limit of login tokens per user; a further login deletes the oldest."""
_RECORD_USE_EVERY = 60

logger = logging.getLogger(__name__)


class Kind(StrEnum):
    """The kinds of tokens, by what limits them."""

    UNLIMITED = "token"
    SCOPES = "key"
    CHURCH = "key of a church"
    """Limited to scopes too."""


def fingerprint(password_hash: str, kind: Kind = Kind.UNLIMITED) -> str:
    """Return the digest that binds a token to a password hash, independent of SECRET_KEY.

    Each kind has another digest. A release that does not know a limit compares the digest of another
    kind, and so refuses such a key instead of giving it more rights.
    """
    return hashlib.sha256(f"koinonia.{kind}:{password_hash}".encode()).hexdigest()


def _fingerprints(user: User) -> list[str]:
    return [fingerprint(user.password, kind) for kind in Kind]


def login_token(user: User) -> tuple[AuthToken, str]:
    """Create the token of a login; delete the oldest beyond ``MAX_LOGINS``."""
    with transaction.atomic():
        lock(user)
        made: tuple[AuthToken, str] = AuthToken.objects.create(user=user)
        logins = AuthToken.objects.filter(user=user).exclude(details__name__gt="")
        old = logins.order_by("-created", "digest").values_list("pk", flat=True)[MAX_LOGINS:]
        AuthToken.objects.filter(pk__in=list(old)).delete()
    return made


def valid_tokens(user: User) -> QuerySet[Any, Any]:
    """Return the user's valid tokens with their details, newest first."""
    now = timezone.now()
    mine = AuthToken.objects.filter(user=user)
    for token in mine.filter(details=None):
        _add_missing_details(token.digest, user.password, None)
    valid = mine.filter(details__fingerprint__in=_fingerprints(user)).exclude(expiry__lte=now)
    found: QuerySet[Any, Any] = valid.order_by("-created", "digest")
    return found.select_related("details__church")


def record_use(digest: str, password_hash: str, *, known: bool, last_used: int | None) -> None:
    """Store the time of the token's last use, at most once a minute, without waiting for a lock.

    If the row is locked, or another connection is writing to SQLite, skip the update.
    """
    now = int(timezone.now().timestamp())
    if known and last_used is not None and now - last_used < _RECORD_USE_EVERY:
        return
    try:
        with without_waiting():
            if known:
                _set_last_used(digest, now)
            else:
                _add_missing_details(digest, password_hash, now)
    except OperationalError as error:
        logger.debug("Skipped storing the last use of a token: %s", error)


def end_stale(user: User, *, unknown_too: bool) -> None:
    """Delete the invalid tokens of an earlier password.

    ``unknown_too`` includes tokens of an earlier release, without a fingerprint.
    """
    mine = AuthToken.objects.filter(user=user)
    if not unknown_too:
        mine = mine.filter(details__isnull=False)
    mine.exclude(details__fingerprint__in=_fingerprints(user)).delete()


def add_details(instance: AuthToken, created: bool, **_: Any) -> None:
    """Receive ``post_save`` of tokens: bind each new token to the password."""
    if created:
        now = int(timezone.now().timestamp())
        password = fingerprint(instance.user.password)
        TokenDetails.objects.get_or_create(
            token=instance, defaults={"fingerprint": password, "last_used": now}
        )


def _set_last_used(digest: str, now: int) -> None:
    rows = TokenDetails.objects.filter(token_id=digest)
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            free = rows.select_for_update(skip_locked=True, of=("self",))
            TokenDetails.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
                last_used=now
            )
    else:
        rows.update(last_used=now)


def _add_missing_details(digest: str, password_hash: str, now: int | None) -> None:
    """Add the missing details of a token from an earlier release."""
    details = TokenDetails(token_id=digest, fingerprint=fingerprint(password_hash), last_used=now)
    TokenDetails.objects.bulk_create([details], ignore_conflicts=True)


def lock(user: User) -> None:
    """Lock the user, so that requests that create or delete the user's tokens run in turn."""
    list(User.objects.filter(pk=user.pk).select_for_update(of=("self",)).values("pk"))


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let writes fail at once while another connection is writing to SQLite."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    timeout_ms = int(settings.DATABASES["default"]["OPTIONS"].get("timeout", 5)) * 1000
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {timeout_ms}")
