"""Whether sessions still stand: one as Django judges it at each request, or many from one query."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

_REMEMBERED = 5000
_Said = tuple[str, str, str]
"""The user's id, the hash of their password and the backend, as a session has them."""


def user_of_session(session_key: str) -> AbstractBaseUser | None:
    """The session's user, checked as Django checks it at each request.

    Only looked at: where Django would give a session another key (its hash was made with one of
    SECRET_KEY_FALLBACKS), a socket has no answer that could bring it to the browser.
    """
    session = _engine().SessionStore(session_key)
    session.cycle_key = session.flush = lambda: None
    request = HttpRequest()
    request.session = cast(SessionBase, session)
    user = get_user(request)
    return cast(AbstractBaseUser, user) if user.is_authenticated else None


def standing_sessions(owners: Mapping[str, int], hashes: Mapping[int, str]) -> set[str]:
    """Those of the sessions that still stand; ``hashes`` of the active among their owners.

    What is plain to see in the database needs no second look: the row is there, it names its owner,
    the password is the same, and the backend asks for no more than an active user. Every other
    session is judged as Django does it, one by one.
    """
    plain = {
        key
        for key, (user, said, backend) in _stored(list(owners)).items()
        if user == str(owners[key])
        and constant_time_compare(said, hashes.get(owners[key], ""))
        and _asks_only_whether_active(backend)
    }
    return plain | {key for key in owners.keys() - plain if user_of_session(key) is not None}


def _stored(keys: list[str]) -> dict[str, _Said]:
    store = _engine().SessionStore
    if not keys or not hasattr(store, "get_model_class"):
        return {}
    rows = store.get_model_class().objects.filter(
        session_key__in=keys, expire_date__gt=timezone.now()
    )
    return {
        key: _read(store, data) for key, data in rows.values_list("session_key", "session_data")
    }


@lru_cache(_REMEMBERED)
def _read(store: Any, data: str) -> _Said:
    """Remembered, for checking a signature takes longer than all the rest, and rows seldom change."""
    said = store().decode(data)
    return (
        said.get(SESSION_KEY, ""),
        said.get(HASH_SESSION_KEY, ""),
        said.get(BACKEND_SESSION_KEY, ""),
    )


def _asks_only_whether_active(path: str) -> bool:
    if path not in settings.AUTHENTICATION_BACKENDS:
        return False
    backend = type(load_backend(path))
    return (
        getattr(backend, "get_user", None) is ModelBackend.get_user
        and getattr(backend, "user_can_authenticate", None) is ModelBackend.user_can_authenticate
    )


def _engine() -> Any:
    return import_module(settings.SESSION_ENGINE)
