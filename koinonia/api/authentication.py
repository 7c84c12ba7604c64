"""Bearer tokens: knox's rows, read without knox's writes on every request."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from koinonia.accounts import keys, tokens
from koinonia.api.key_scopes import InScope
from koinonia.api.prepared_query import Parameter, PreparedQuery, from_columns


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc] # knox has no types
    """``Authorization: Bearer <token>``; the database holds only the SHA-512 of the token.

    knox reads all tokens of the user, and deletes the expired ones, on each request. This class
    refuses an expired token, and ``prune`` deletes it.
    """

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        """Return the user and the token; None for a key with scopes at a view that does not check them.

        Such a view treats the request as anonymous. So a view that forgets the check is closed to keys.
        """
        found = cast("tuple[User, AuthToken] | None", super().authenticate(request))
        if found is None or found[1].scopes is None or _checks_scopes(request):
            return found
        return None

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        found = user_token(token.decode("latin-1"))
        if found is None:
            raise AuthenticationFailed("This token is invalid, has expired or was revoked.")
        return found.user, found


def _checks_scopes(request: Request) -> bool:
    view = request.parser_context.get("view")
    asked = getattr(view, "permission_classes", ())
    return any(isinstance(one, type) and issubclass(one, InScope) for one in asked)


def user_token(token: str) -> AuthToken | None:
    """Return the row of a valid token, or None.

    A valid token is unexpired, belongs to an active user, and was made under the user's present
    password. The row's user has its id, name and password hash; other columns load on first use. ``scopes`` of the
    row are those of an API key, or None if the token has all rights of its user; ``church_id`` is the only
    church of a key, or None.
    """
    if not token.isascii() or not token.isalnum():
        return None
    digest = hash_token(token)
    begin = token[: CONSTANTS.TOKEN_KEY_LENGTH]
    for row in _UNEXPIRED.rows(begin=begin, now=timezone.now()):
        if compare_digest(digest, row[0]):
            return _if_password_unchanged(*row)
    return None


def _if_password_unchanged(
    digest: str,
    key: str,
    user_id: int,
    username: str,
    password: str,
    made_under: str | None,
    last_used: int | None,
    scopes: str | None,
    church_id: int | None,
) -> AuthToken | None:
    # A token without details comes from an earlier release. Its first use binds it to the password.
    expected = tokens.fingerprint(password, keys.kind_of(scopes or "", church_id))
    if made_under is not None and not compare_digest(made_under, expected):
        return None
    tokens.record_use(digest, password, known=made_under is not None, last_used=last_used)
    token = from_columns(AuthToken, {"digest": digest, "token_key": key, "user_id": user_id})
    known = {"id": user_id, "username": username, "password": password, "is_active": True}
    token.user = from_columns(User, known)
    token.scopes = keys.read(scopes or "")
    token.church_id = church_id
    return token


def _unexpired() -> QuerySet[Any, Any]:
    fresh = Q(expiry__gt=Parameter("now")) | Q(expiry=None)
    tokens = AuthToken.objects.filter(fresh, token_key=Parameter("begin"), user__is_active=True)
    rows: QuerySet[Any, Any] = tokens.values_list(
        "digest", "token_key", "user_id", "user__username", "user__password",
        "details__fingerprint", "details__last_used", "details__scopes",
        "details__church_id",
    )  # fmt: skip
    return rows


_UNEXPIRED = PreparedQuery(_unexpired)
