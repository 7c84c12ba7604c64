"""Sessions in the database, as Django's own; a key that none can have is not looked up."""

from __future__ import annotations

from django.contrib.sessions.backends import db

_LONGEST_KEY = 40


class SessionStore(db.SessionStore):
    """A cookie is any text: PostgreSQL fails on a NUL, which the quoted form of a cookie can hold."""

    def _validate_session_key(self, key: str | None) -> bool:
        if not key or not 8 <= len(key) <= _LONGEST_KEY:
            return False
        return key.isascii() and key.isalnum()
