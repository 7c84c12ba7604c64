"""Bearer tokens: knox's rows, read without knox's writes on every request."""

from __future__ import annotations

from hmac import compare_digest

from django.contrib.auth.models import User
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed


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
    """The unexpired token of an active user that ``token`` is, or None."""
    if not token.isascii() or not token.isalnum():
        return None
    digest = hash_token(token)
    for row in AuthToken.objects.select_related("user").filter(
        token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH]
    ):
        if compare_digest(digest, row.digest):
            is_fresh = row.expiry is None or row.expiry > timezone.now()
            return row if is_fresh and row.user.is_active else None
    return None
