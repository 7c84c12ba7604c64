"""How the things we count by are written in Redis: short, of known characters, no user names."""

from __future__ import annotations

import re
import unicodedata

from django.utils.crypto import salted_hmac

_PLAIN = re.compile(r"[\w.:/@+-]{1,64}", re.ASCII)


def name_digest(username: str) -> str:
    """A keyed hash of a user name: spellings that mean the same give the same."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    return salted_hmac("throttling.name", name, algorithm="sha256").hexdigest()[:16]


def plain(identity: str) -> str:
    """The identity itself, or its keyed hash where it is long or has strange characters."""
    if _PLAIN.fullmatch(identity):
        return identity
    return salted_hmac("throttling.identity", identity, algorithm="sha256").hexdigest()[:32]
