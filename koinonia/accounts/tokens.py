"""Bearer tokens of a user: made, listed, noted as used, and ended by another password.

knox keeps the token (as a digest) and its expiry; ``TokenDetails`` keeps the rest. A token stands
while its fingerprint is that of the user's present password hash, so a password changed by any door
(API, admin, command, reset, SQL) ends it at once, without anybody deleting it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from knox.models import AuthToken

from koinonia.models import TokenDetails

MOST_NAMED = 25
"""Tokens with a name that one user may have."""
MOST_LOGINS = 25
"""Tokens from logins that one user keeps; a further login ends the oldest."""
_NOTED_EVERY = 60

logger = logging.getLogger(__name__)


class TooManyTokensError(Exception):
    """The user has as many named tokens as one may have."""


class LoginEndedError(Exception):
    """The session or token with which the request came has ended since it was let in."""


def fingerprint(password_hash: str) -> str:
    """Return what a token keeps of the password hash; it does not depend on SECRET_KEY."""
    return hashlib.sha256(f"koinonia.token:{password_hash}".encode()).hexdigest()


def login_token(user: User) -> tuple[AuthToken, str]:
    """Make the token of a login; of more than ``MOST_LOGINS`` the oldest end."""
    with transaction.atomic():
        lock(user)
        made: tuple[AuthToken, str] = AuthToken.objects.create(user=user)
        logins = AuthToken.objects.filter(user=user).exclude(details__name__gt="")
        old = logins.order_by("-created", "digest").values_list("pk", flat=True)[MOST_LOGINS:]
        AuthToken.objects.filter(pk__in=list(old)).delete()
    return made


def named_token(
    user: User, name: str, expires_at: datetime, *, still_stands: Callable[[], bool]
) -> tuple[AuthToken, str]:
    """Make a token for a program. Raises TooManyTokensError at ``MOST_NAMED``.

    ``still_stands`` is asked under the lock whether the login that asks has not ended: else a copied
    token could make another one while its owner logs out everywhere. Raises LoginEndedError.
    """
    with transaction.atomic():
        lock(user)
        if not still_stands():
            raise LoginEndedError
        if standing(user).filter(details__name__gt="").count() >= MOST_NAMED:
            raise TooManyTokensError
        token, secret = AuthToken.objects.create(user=user, expiry=expires_at - timezone.now())
        details = TokenDetails.objects.get(token=token)
        details.name, details.last_used = name, None
        details.save(update_fields=["name", "last_used"])
        token.details = details
    return token, secret


def standing(user: User) -> QuerySet[Any, Any]:
    """Return the user's tokens that open the API now, newest first, with their details."""
    now = timezone.now()
    mine = AuthToken.objects.filter(user=user)
    for token in mine.filter(details=None):
        _adopt(token.digest, user.password, None)
    standing = mine.filter(details__fingerprint=fingerprint(user.password)).exclude(expiry__lte=now)
    found: QuerySet[Any, Any] = standing.select_related("details").order_by("-created", "digest")
    return found


def note_use(digest: str, password_hash: str, *, known: bool, last_used: int | None) -> None:
    """Write when the token was last used, at most once a minute, and wait for nobody.

    Where the row is locked, or SQLite is being written to, the note is left out.
    """
    now = int(timezone.now().timestamp())
    if known and last_used is not None and now - last_used < _NOTED_EVERY:
        return
    try:
        with _without_waiting():
            if known:
                _note(digest, now)
            else:
                _adopt(digest, password_hash, now)
    except OperationalError as error:
        logger.debug("The use of a token was not noted: %s", error)


def end_stale(user: User, *, unknown_too: bool) -> None:
    """Delete the tokens that an earlier password of the user made; they open nothing any more.

    ``unknown_too``: also those of an earlier release, which are bound to no password yet.
    """
    mine = AuthToken.objects.filter(user=user)
    if not unknown_too:
        mine = mine.filter(details__isnull=False)
    mine.exclude(details__fingerprint=fingerprint(user.password)).delete()


def add_details(instance: AuthToken, created: bool, **_: Any) -> None:
    """Receive ``post_save`` of tokens: bind each to the password, whoever makes it."""
    if created:
        now = int(timezone.now().timestamp())
        password = fingerprint(instance.user.password)
        TokenDetails.objects.get_or_create(
            token=instance, defaults={"fingerprint": password, "last_used": now}
        )


def _note(digest: str, now: int) -> None:
    rows = TokenDetails.objects.filter(token_id=digest)
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            free = rows.select_for_update(skip_locked=True, of=("self",))
            TokenDetails.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
                last_used=now
            )
    else:
        rows.update(last_used=now)


def _adopt(digest: str, password_hash: str, now: int | None) -> None:
    """Add the row of a token that an earlier release made."""
    details = TokenDetails(token_id=digest, fingerprint=fingerprint(password_hash), last_used=now)
    TokenDetails.objects.bulk_create([details], ignore_conflicts=True)


def lock(user: User) -> None:
    """Let two requests of one user that make or end tokens wait for each other."""
    list(User.objects.filter(pk=user.pk).select_for_update(of=("self",)).values("pk"))


@contextmanager
def _without_waiting() -> Iterator[None]:
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    patience = int(settings.DATABASES["default"]["OPTIONS"].get("timeout", 5)) * 1000
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")
