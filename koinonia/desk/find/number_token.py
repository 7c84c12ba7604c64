"""A phone number inside the URL of a page, encrypted for one user and one day.

URLs are kept by browsers and by the logs of proxies, where no number of a person belongs.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

_VALID_SECONDS = 24 * 3600
_SALT = "koinonia.desk.find.number"


def seal(number: str, user_id: int) -> str:
    """Return a text for a URL, which only :func:`unseal` can read."""
    return _fernet(user_id).encrypt(number.encode()).decode()


def unseal(token: str, user_id: int) -> str | None:
    """Return the number; None if the token is too old, another user's, or no token."""
    try:
        return _fernet(user_id).decrypt(token.encode(), ttl=_VALID_SECONDS).decode()
    except (InvalidToken, ValueError):
        return None


def _fernet(user_id: int) -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret, user_id)) for secret in secrets])


def _key(secret: str, user_id: int) -> bytes:
    digest = salted_hmac(_SALT, str(user_id), secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
