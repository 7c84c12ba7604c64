"""Bearer tokens: knox's rows, read without knox's writes on every request."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from koinonia.accounts import tokens
from koinonia.api.prepared_query import PreparedQuery


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc] # knox has no types
    """``Authorization: Bearer <token>``; the database holds only the token's SHA-512.

    knox's own looks at all tokens of the user, and deletes the expired ones, on each request; here
    an expired token is refused and ``prune`` deletes it.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        found = user_token(token.decode("latin-1"))
        if found is None:
            raise AuthenticationFailed("This token is not valid, or not any more.")
        return found.user, found


def user_token(token: str) -> AuthToken | None:
    """Return the token that ``token`` is, where it opens something now, or None.

    It is unexpired, of an active user, and made under the user's present password. Of the user, id,
    name and password hash are read; the rest when it is asked for.
    """
    if not token.isascii() or not token.isalnum():
        return None
    digest = hash_token(token)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    for row in _UNEXPIRED.rows(token[: CONSTANTS.TOKEN_KEY_LENGTH], now):
        if compare_digest(digest, row[0]):
            return _standing(*row)
    return None


def _standing(
    digest: str,
    key: str,
    user_id: int,
    username: str,
    password: str,
    made_under: str | None,
    last_used: int | None,
) -> AuthToken | None:
    # A token without details was made by an earlier release; its first use binds it.
    if made_under is not None and not compare_digest(made_under, tokens.fingerprint(password)):
        return None
    tokens.note_use(digest, password, known=made_under is not None, last_used=last_used)
    return _token(digest, key, user_id, username, password)


def _unexpired() -> QuerySet[Any, Any]:
    fresh = Q(expiry__gt=timezone.now()) | Q(expiry=None)
    tokens = AuthToken.objects.filter(token_key="").filter(fresh).filter(user__is_active=True)
    rows: QuerySet[Any, Any] = tokens.values_list(
        "digest", "token_key", "user_id", "user__username", "user__password",
        "details__fingerprint", "details__last_used",
    )  # fmt: skip
    return rows


_UNEXPIRED = PreparedQuery(_unexpired)


def _token(digest: str, key: str, user_id: int, username: str, password: str) -> AuthToken:
    token = AuthToken.from_db("default", ("digest", "token_key", "user_id"), (digest, key, user_id))
    # In the order of the model, as from_db wants them.
    known = {"id": user_id, "password": password, "username": username, "is_active": True}
    token.user = User.from_db("default", tuple(known), tuple(known.values()))
    return token
