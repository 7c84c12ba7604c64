"""Credentials of connections: who opened a socket, and whether the credential is still valid.

Sessions are checked in one query for many, or one by one as Django checks them at each request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime import conf

_CACHED_SESSIONS = 5000
_SessionData = tuple[str, str, str]
"""The user's id, the hash of the user's password and the path of the backend."""


class BearerBackend(Protocol):
    """The object that the host names in ``REALTIME["BEARER"]``."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        """Return the user and a reference to the token that is safe to store, or None."""

    def valid(self, references: Set[str]) -> Set[str]:
        """Return the references of the tokens that are still valid."""

    def streams(self, references: Set[str]) -> Mapping[str, Set[str]]:
        """Return the keys of the only streams of those tokens that have fewer than their user.

        A backend may lack this method: then each token has all streams of its user.
        """


@dataclass(frozen=True, slots=True)
class Credential:
    """A user, and the session or the token that the connection depends on."""

    user_id: int
    session_hash: str
    """The hash of the user's password at the time of the handshake."""
    session_key: str = ""
    bearer: str = ""

    def user(self) -> AbstractBaseUser | None:
        """Return the user, or None if the credential is not valid any more.

        A disabled user, a changed password, a logout and a revoked token each end a credential.
        """
        return valid_users({self}).get(self)


def of_session(session_key: str) -> Credential | None:
    if not session_key.isprintable():
        return None  # PostgreSQL raises an error for a NUL character.
    user = _user_of_session(session_key)
    return of_user(user, session_key=session_key) if user else None


def of_bearer(token: str) -> Credential | None:
    backend = cast("BearerBackend | None", conf.bearer())
    found = backend.authenticate(token) if backend else None
    return of_user(found[0], bearer=found[1]) if found and found[0].is_active else None


def of_user(user: AbstractBaseUser, *, session_key: str = "", bearer: str = "") -> Credential:
    return Credential(user.pk, user.get_session_auth_hash(), session_key, bearer)


def valid_users(credentials: Set[Credential]) -> dict[Credential, AbstractBaseUser]:
    """Return the valid credentials and their users, from a few queries for all of them."""
    user_ids = {credential.user_id for credential in credentials}
    users = get_user_model()._default_manager.filter(is_active=True).in_bulk(user_ids)
    hashes = {pk: _session_hashes(user) for pk, user in users.items()}
    sessions = _valid_sessions(
        {c.session_key: c.user_id for c in credentials if c.session_key}, hashes
    )
    tokens = _valid_tokens({c.bearer for c in credentials if c.bearer})
    return {
        credential: users[credential.user_id]
        for credential in credentials
        if credential.user_id in users
        and _is_one_of(hashes[credential.user_id], credential.session_hash)
        and (not credential.session_key or credential.session_key in sessions)
        and (not credential.bearer or credential.bearer in tokens)
    }


def streams_of_tokens(credentials: Set[Credential]) -> Mapping[str, Set[str]]:
    """Return the only streams of each token that has fewer than its user, by reference."""
    limit = getattr(conf.bearer(), "streams", None)
    references = {credential.bearer for credential in credentials if credential.bearer}
    found: Mapping[str, Set[str]] = limit(references) if limit and references else {}
    return found


def _session_hashes(user: AbstractBaseUser) -> list[str]:
    """Return the hash under ``SECRET_KEY``, and those under ``SECRET_KEY_FALLBACKS``: while the key
    rotates, another process may have made a ticket or a session with the other key."""
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


def _is_one_of(hashes: Sequence[str], given: str) -> bool:
    return any(constant_time_compare(one, given) for one in hashes)


def _valid_tokens(references: Set[str]) -> Set[str]:
    backend = cast("BearerBackend | None", conf.bearer())
    return backend.valid(references) if backend and references else frozenset()


def _user_of_session(session_key: str) -> AbstractBaseUser | None:
    """Return the session's user, checked as Django checks it at each request.

    Django gives a session a new key if its hash was made with one of SECRET_KEY_FALLBACKS. A socket
    cannot send the new key to the browser, so the session is only read here.
    """
    session = _session_engine().SessionStore(session_key)
    session.cycle_key = session.flush = lambda: None
    request = HttpRequest()
    request.session = cast(SessionBase, session)
    user = get_user(request)
    return cast(AbstractBaseUser, user) if user.is_authenticated else None


def _valid_sessions(owners: Mapping[str, int], hashes: Mapping[int, Sequence[str]]) -> set[str]:
    """Return the keys of the valid sessions; ``hashes`` has the password hash of each active owner.

    Most sessions are valid by their row alone: it names the owner and the current password, and the
    backend requires only an active user. Django checks each other session by itself.
    """
    valid_by_row = {
        key
        for key, (user, session_hash, backend) in _session_rows(list(owners)).items()
        if user == str(owners[key])
        and _is_one_of(hashes.get(owners[key], ()), session_hash)
        and _requires_only_an_active_user(backend)
    }
    rest = owners.keys() - valid_by_row
    return valid_by_row | {key for key in rest if _user_of_session(key) is not None}


def _session_rows(keys: list[str]) -> dict[str, _SessionData]:
    store = _session_engine().SessionStore
    if not keys or not hasattr(store, "get_model_class"):
        return {}
    rows = store.get_model_class().objects.filter(
        session_key__in=keys, expire_date__gt=timezone.now()
    )
    return {
        key: _decode_session(store, data)
        for key, data in rows.values_list("session_key", "session_data")
    }


@lru_cache(_CACHED_SESSIONS)
def _decode_session(store: Any, data: str) -> _SessionData:
    """Decode a session. Checking its signature costs most of a check, and rows seldom change."""
    session = store().decode(data)
    return (
        session.get(SESSION_KEY, ""),
        session.get(HASH_SESSION_KEY, ""),
        session.get(BACKEND_SESSION_KEY, ""),
    )


def _requires_only_an_active_user(path: str) -> bool:
    if path not in settings.AUTHENTICATION_BACKENDS:
        return False
    backend = type(load_backend(path))
    return (
        getattr(backend, "get_user", None) is ModelBackend.get_user
        and getattr(backend, "user_can_authenticate", None) is ModelBackend.user_can_authenticate
    )


def _session_engine() -> Any:
    return import_module(settings.SESSION_ENGINE)
