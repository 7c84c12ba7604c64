"""Who opened a socket, and whether they still may hold it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare

from realtime import conf
from realtime.sessions import standing_sessions, user_of_session


class BearerBackend(Protocol):
    """What the host gives as ``REALTIME["BEARER"]``: an object with these two."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        """The user and a reference to the token that is safe to keep, or None."""

    def valid(self, references: Set[str]) -> Set[str]:
        """Those of the tokens that still stand."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A user, and what the right of this connection rests on."""

    user_id: int
    session_hash: str
    """Of the user's password, when it was opened."""
    session_key: str = ""
    bearer: str = ""

    def user(self) -> AbstractBaseUser | None:
        """The user, or None when the right has ended: disabled, password changed, logged out,
        token revoked."""
        return standing({self}).get(self)


def standing(credentials: Set[Credential]) -> dict[Credential, AbstractBaseUser]:
    """Those whose right has not ended, and their users, from a few queries for all of them."""
    user_ids = {credential.user_id for credential in credentials}
    users = get_user_model()._default_manager.filter(is_active=True).in_bulk(user_ids)
    hashes = {pk: user.get_session_auth_hash() for pk, user in users.items()}
    sessions = standing_sessions(
        {c.session_key: c.user_id for c in credentials if c.session_key}, hashes
    )
    tokens = _standing_tokens({c.bearer for c in credentials if c.bearer})
    return {
        credential: users[credential.user_id]
        for credential in credentials
        if credential.user_id in users
        and constant_time_compare(hashes[credential.user_id], credential.session_hash)
        and (not credential.session_key or credential.session_key in sessions)
        and (not credential.bearer or credential.bearer in tokens)
    }


def of_session(session_key: str) -> Credential | None:
    if not session_key.isprintable():
        return None  # PostgreSQL takes no NUL, and would not say so politely.
    user = user_of_session(session_key)
    return of_user(user, session_key=session_key) if user else None


def of_bearer(token: str) -> Credential | None:
    backend = cast("BearerBackend | None", conf.bearer())
    found = backend.authenticate(token) if backend else None
    return of_user(found[0], bearer=found[1]) if found and found[0].is_active else None


def of_user(user: AbstractBaseUser, *, session_key: str = "", bearer: str = "") -> Credential:
    return Credential(user.pk, user.get_session_auth_hash(), session_key, bearer)


def _standing_tokens(references: Set[str]) -> Set[str]:
    backend = cast("BearerBackend | None", conf.bearer())
    return backend.valid(references) if backend and references else frozenset()
