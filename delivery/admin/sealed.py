"""Words of a search inside the URL of a page, encrypted for one user and one day.

Browsers and the logs of proxies keep URLs, and no number or name of a person belongs there.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

_VALID_SECONDS = 24 * 3600
_SALT = "delivery.admin.sealed"


def seal(words: str, user_id: Any) -> str:
    """Return a text for a URL, which only :func:`unseal` can read."""
    return _fernet(user_id).encrypt(words.encode()).decode()


def unseal(token: str, user_id: Any) -> str | None:
    """Return the words; None if the token is too old, another user's, or no token."""
    try:
        return _fernet(user_id).decrypt(token.encode(), ttl=_VALID_SECONDS).decode()
    except (InvalidToken, ValueError):
        return None


def _fernet(user_id: Any) -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret, user_id)) for secret in secrets])


def _key(secret: str, user_id: Any) -> bytes:
    digest = salted_hmac(_SALT, str(user_id), secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
