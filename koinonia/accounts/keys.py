"""API keys: named tokens for programs, mostly with a part of the rights of their user.

The rights of a key are the rights that its user has now, limited to its scopes. A key is never
changed: make another one, and end the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from knox.models import AuthToken

from koinonia import audit
from koinonia.accounts import tokens
from koinonia.models import Church, KeyScope, TokenDetails

MAX_KEYS = 20
"""Limit of keys per user."""
KEEP_EXPIRED = timedelta(days=30)
"""An expired key is listed for this time, so that people see the reason of a failing program."""
PREFIX_LENGTH = 8
"""The number of characters of a key that pages show."""


class TooManyKeysError(Exception):
    """The user has ``MAX_KEYS`` keys already."""


class LoginEndedError(Exception):
    """The session or token of the request ended after its authentication."""


def make(
    user: User,
    name: str,
    expires_at: datetime,
    scopes: Collection[str] | None,
    church: Church | None = None,
    *,
    still_valid: Callable[[], bool],
) -> tuple[AuthToken, str]:
    """Create a key; return its row and its secret. Raise TooManyKeysError at ``MAX_KEYS``.

    Without ``scopes`` the key has all rights of the user. A key of one ``church`` has scopes. Call ``still_valid`` under the lock and raise
    LoginEndedError if it returns False. Otherwise a stolen token could win the race against "log out
    everywhere" and create another token.
    """
    with transaction.atomic():
        tokens.lock(user)
        if not still_valid():
            raise LoginEndedError
        if tokens.valid_tokens(user).filter(details__name__gt="").count() >= MAX_KEYS:
            raise TooManyKeysError
        token, secret = AuthToken.objects.create(user=user, expiry=expires_at - timezone.now())
        details = TokenDetails.objects.get(token=token)
        details.name, details.last_used = name, None
        details.scopes, details.church = written(scopes or ()), church
        details.fingerprint = tokens.fingerprint(
            user.password, kind_of(details.scopes, details.church_id)
        )
        details.save(update_fields=["name", "last_used", "scopes", "church", "fingerprint"])
        token.details = details
        _record(user, "key.made", token)
        surplus = expired(user).values_list("pk", flat=True)[MAX_KEYS:]
        AuthToken.objects.filter(pk__in=list(surplus)).delete()
    return token, secret


def expired(user: User) -> QuerySet[Any, Any]:
    """Return the expired keys of the user that are kept, the latest first: about ``MAX_KEYS``."""
    mine = AuthToken.objects.filter(user=user, expiry__lte=timezone.now(), details__name__gt="")
    found: QuerySet[Any, Any] = mine.order_by("-expiry", "digest")
    return found.select_related("details__church")


def prunable(now: datetime) -> QuerySet[Any, Any]:
    """Return the expired tokens that are deleted: logins at once, keys after ``KEEP_EXPIRED``."""
    ended = AuthToken.objects.filter(expiry__lte=now)
    found: QuerySet[Any, Any] = ended.exclude(details__name__gt="", expiry__gt=now - KEEP_EXPIRED)
    return found


def end(user: User, details_key: int | None) -> bool:
    """End a token of the user, and close its sockets. Return False if the user has no token with this key."""
    with transaction.atomic():
        tokens.lock(user)
        mine = AuthToken.objects.filter(user=user).select_related("details")
        token = mine.filter(details__pk=details_key or 0).first()
        if token is None:
            return False
        _record(user, "key.ended" if token.details.name else "token.ended", token)
        # Delete the instance, not the queryset: its signal closes the sockets.
        token.delete()
    return True


def end_those_of(church: Church) -> None:
    """End the keys that are bound to the church, which is about to be deleted."""
    for token in AuthToken.objects.filter(details__church=church):
        # Delete the instance, not the queryset: its signal closes the sockets.
        token.delete()


def kind_of(scopes: str, church_id: int | None) -> tokens.Kind:
    """Return the kind of a token with these columns."""
    if church_id is not None:
        return tokens.Kind.CHURCH
    return tokens.Kind.SCOPES if scopes else tokens.Kind.UNLIMITED


def prefix(token: AuthToken) -> str:
    """Return the beginning of the secret: people recognise a key by it."""
    return str(token.token_key)[:PREFIX_LENGTH]


def written(scopes: Iterable[str]) -> str:
    """Return scopes as the column keeps them."""
    given = set(scopes)
    return " ".join(scope for scope in KeyScope.values if scope in given)


def read(column: str) -> frozenset[KeyScope] | None:
    """Return the scopes of a column; None means all rights. An unknown scope gives no right."""
    if not column:
        return None
    return frozenset(KeyScope(word) for word in column.split() if word in KeyScope.values)


def may_read(scopes: Collection[str] | None) -> bool:
    """Return whether a token with these scopes may follow events on a socket."""
    return scopes is None or KeyScope.READ in scopes


def _record(user: User, action: str, token: Any) -> None:
    """Tell the owners of each church of the user, or of the only church of the key."""
    detail = {"key": prefix(token), "scopes": token.details.scopes.split() or ["all"]}
    if action != "token.ended":
        detail["until"] = token.expiry.date().isoformat()
    churches = Church.objects.of(user)
    if token.details.church_id is not None:
        churches = churches.filter(pk=token.details.church_id)
    for church in churches.order_by("pk"):
        audit.record(church, user, action, token.details.name or None, detail)
