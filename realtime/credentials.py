"""Who opened a socket, and whether they still may hold it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from realtime import conf


class BearerBackend(Protocol):
    """What the host gives as ``REALTIME["BEARER"]``: an object with these two."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        """The user and a reference to the token that is safe to keep, or None."""

    def is_valid(self, reference: str) -> bool:
        """Whether that token still stands."""


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
        user = get_user_model()._default_manager.filter(pk=self.user_id, is_active=True).first()
        if user is None or not constant_time_compare(
            user.get_session_auth_hash(), self.session_hash
        ):
            return None
        if self.session_key and user_of_session(self.session_key) is None:
            return None
        if self.bearer and not _bearer_stands(self.bearer):
            return None
        return user


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


def user_of_session(session_key: str) -> AbstractBaseUser | None:
    """The session's user, checked as Django checks it at each request."""
    engine = import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = cast(SessionBase, engine.SessionStore(session_key))
    user = get_user(request)
    return cast(AbstractBaseUser, user) if user.is_authenticated else None


def _bearer_stands(reference: str) -> bool:
    backend = cast("BearerBackend | None", conf.bearer())
    return backend is not None and backend.is_valid(reference)
