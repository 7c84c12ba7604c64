"""Django's database sessions with a table that links each session to its user (``SESSION_ENGINE``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from koinonia.api.prepared_query import Parameter, PreparedQuery, columns, from_columns
from koinonia.models import UserSession

_AT_ONCE = 500


def _sessions() -> QuerySet[Any, Any]:
    mine = Session.objects.filter(session_key=Parameter("key"))
    return mine.filter(expire_date__gt=Parameter("now")).values_list(*columns(Session))


_SESSIONS = PreparedQuery(_sessions)
_MAX_KEY_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Origin:
    """The login that began a session."""

    agent: str
    network: str
    at: datetime | None


class SessionStore(db.SessionStore):
    """Django's store. The class keeps Django's name, which salts the signature of old sessions."""

    _linked: tuple[str | None, str] | None = None
    origin: Origin | None = None
    """Set by a login, for the next ``save``."""

    def _get_session_from_db(self) -> Session | None:
        """Read the session as Django does, by a statement that is compiled once."""
        rows = _SESSIONS.rows(key=self.session_key, now=timezone.now())
        if not rows:
            self._session_key = None
            return None
        return from_columns(Session, dict(zip(columns(Session), rows[0], strict=True)))

    def _validate_session_key(self, key: str | None) -> bool:
        """Reject malformed keys: a cookie can hold any text, and PostgreSQL fails on a NUL."""
        if not key or not 8 <= len(key) <= _MAX_KEY_LENGTH:
            return False
        return key.isascii() and key.isalnum()

    def cycle_key(self) -> None:
        """Keep the key while only SECRET_KEY changes.

        Django renews the key of a session whose hash was made with one of SECRET_KEY_FALLBACKS. The
        other requests of the same page then come with the old cookie and find nobody logged in; and
        while two processes have different keys, each would renew it again.
        """
        if not self._is_of_a_fallback_key():
            before = UserSession.objects.filter(pk=self.session_key or "").first()
            if before is not None:
                self.origin = Origin(before.agent, before.network, before.started_at)
            super().cycle_key()
            if before is not None:
                before.delete()

    def _is_of_a_fallback_key(self) -> bool:
        if not settings.SECRET_KEY_FALLBACKS or SESSION_KEY not in self:
            return False
        user = User.objects.filter(pk=self[SESSION_KEY]).first()
        given = str(self.get(HASH_SESSION_KEY, ""))
        return user is not None and any(
            constant_time_compare(one, given) for one in user.get_session_auth_fallback_hash()
        )

    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        user_id = self.get(SESSION_KEY)
        if user_id is None:
            return
        if self.origin is not None:
            _link_origin(str(self.session_key), user_id, self.origin)
        elif self._linked != (self.session_key, user_id):
            _link([(str(self.session_key), user_id)])
        self.origin, self._linked = None, (self.session_key, user_id)


def end_all(user: User, *, but: str = "") -> None:
    """Delete every session of the user, except the session with the key ``but``.

    An earlier release saved sessions without a ``UserSession`` row. Decode such sessions once and
    add their rows.
    """
    _link_old_sessions()
    with transaction.atomic():
        mine = UserSession.objects.filter(user=user).exclude(session_key=but)
        keys = list(mine.values_list("session_key", flat=True))
        for start in range(0, len(keys), _AT_ONCE):
            Session.objects.filter(session_key__in=keys[start : start + _AT_ONCE]).delete()
        mine.delete()


def delete_orphans() -> int:
    """Delete the rows of deleted sessions; return how many."""
    return _orphans().delete()[0]


def count_orphans() -> int:
    """Count the rows of deleted sessions."""
    return _orphans().count()


def _orphans() -> QuerySet[UserSession]:
    return UserSession.objects.exclude(session_key__in=Session.objects.values("session_key"))


def _link_old_sessions() -> None:
    known = UserSession.objects.values("session_key")
    unknown = Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key__in=known)
    store, found = SessionStore(), []
    for session in unknown.iterator(chunk_size=_AT_ONCE):
        user_id: Any = store.decode(session.session_data).get(SESSION_KEY)
        if user_id is not None:
            found.append((session.session_key, user_id))
    _link(found)


def _link(pairs: Iterable[tuple[str, Any]]) -> None:
    rows = [UserSession(session_key=key, user_id=int(user_id)) for key, user_id in pairs]
    UserSession.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)


def _link_origin(key: str, user_id: Any, origin: Origin) -> None:
    values = {
        "user_id": int(user_id), "agent": origin.agent, "network": origin.network,
        "started_at": origin.at, "seen_at": origin.at,
    }  # fmt: skip
    row = UserSession(session_key=key, **values)
    UserSession.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["session_key"], update_fields=[*values]
    )
