"""The ``REALTIME`` settings dict, typed, read live. Every key has a default but ``MAY_LISTEN``."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.module_loading import import_string

MayListen = Callable[[AbstractBaseUser, str], bool]
Listeners = Callable[[str, Set[int]], Set[int]]


def _value(name: str, default: Any = None) -> Any:
    return getattr(settings, "REALTIME", {}).get(name, default)


def enabled() -> bool:
    return bool(_value("ENABLED", True))


def may_listen() -> MayListen:
    """``MAY_LISTEN``: dotted path of ``(user, stream key) -> bool``, synchronous."""
    return cast(MayListen, import_string(_value("MAY_LISTEN")))


def listeners() -> Listeners | None:
    """``LISTENERS``: dotted path of ``(stream key, user ids) -> those who may listen``.

    The same rule as MAY_LISTEN for many users at once: with it the periodic look at everyone's rights
    is one query per stream, without it one per socket.
    """
    path = _value("LISTENERS")
    return cast(Listeners, import_string(path)) if path else None


def may_tell() -> Callable[[str, Sequence[str]], Sequence[str]] | None:
    """``MAY_TELL``: dotted path of ``(stream key, events) -> those of them that may still be told``.

    Each event is the JSON that clients get. It is asked whenever events are read from the log, live
    or for a replay: the right to an old event may have ended since it was written.
    """
    path = _value("MAY_TELL")
    if not path:
        return None
    return cast(Callable[[str, Sequence[str]], Sequence[str]], import_string(path))


def bearer() -> Any | None:
    """``BEARER``: dotted path of an object like :class:`realtime.credentials.BearerBackend`."""
    path = _value("BEARER")
    return import_string(path) if path else None


def connect_limit() -> Callable[[AbstractBaseUser], bool] | None:
    """``CONNECT_LIMIT``: dotted path of ``(user) -> whether one more connection is allowed now``."""
    path = _value("CONNECT_LIMIT")
    return cast(Callable[[AbstractBaseUser], bool], import_string(path)) if path else None


def client_address() -> Callable[[HttpRequest], str]:
    """``CLIENT_ADDRESS``: dotted path of ``(request) -> whose address it is``, which asks nobody.

    The request has the headers of the handshake. Without it: the peer's address, which behind a
    proxy is the proxy's.
    """
    path = _value("CLIENT_ADDRESS")
    return cast(Callable[[HttpRequest], str], import_string(path)) if path else _peer


def _peer(request: HttpRequest) -> str:
    return str(request.META["REMOTE_ADDR"])


def address_limit() -> Callable[[HttpRequest], bool] | None:
    """``ADDRESS_LIMIT``: dotted path of ``(request) -> whether its address may fail once more now``.

    Asked about each handshake without a good credential; the others never are.
    """
    path = _value("ADDRESS_LIMIT")
    return cast(Callable[[HttpRequest], bool], import_string(path)) if path else None


def sockets_per_address() -> int:
    """How many unjudged sockets an address may have that has failed too often."""
    return int(_value("SOCKETS_PER_ADDRESS", 20))


def allowed_origins() -> frozenset[str]:
    """Origins beside the site's own: ``https://app.example.org``."""
    return frozenset(_value("ALLOWED_ORIGINS", settings.CSRF_TRUSTED_ORIGINS))


def channel_layer() -> str:
    """The alias of the channel layer that carries notices."""
    return str(_value("CHANNEL_LAYER", "default"))


def heartbeat_seconds() -> float:
    seconds: float = _value("HEARTBEAT_SECONDS", 25)
    return seconds


def keep_alive_seconds() -> float:
    """Return how long ``realtime.daphne`` keeps an idle connection: longer than the proxy in front of it."""
    return float(_value("KEEP_ALIVE_SECONDS", 75))


def window_seconds() -> float:
    """How long events are gathered into one frame."""
    return float(_value("WINDOW_MS", 30)) / 1000


def tail_check_seconds() -> float:
    """How often the log is looked at without a notice: the longest that a lost one can cost."""
    return float(_value("TAIL_CHECK_SECONDS", 1))


def sweep_seconds() -> float:
    """How often everyone's rights are looked at without a notice."""
    return float(_value("SWEEP_SECONDS", 4))


def ticket_seconds() -> int:
    return int(_value("TICKET_SECONDS", 30))


def sockets_per_user() -> int:
    return int(_value("SOCKETS_PER_USER", 20))


def frames_per_second() -> float:
    """Return how many frames a socket may send a second for long; acks that acknowledge something do not count."""
    return float(_value("FRAMES_PER_SECOND", 5))


def frames_burst() -> int:
    """Return how many frames a socket may send at once: three times its streams."""
    return int(_value("FRAMES_BURST", 60))


def count_seconds() -> float:
    """How often processes tell each other how many sockets each user has."""
    return float(_value("COUNT_SECONDS", 2))


def retention() -> timedelta:
    return timedelta(days=_value("RETENTION_DAYS", 7))


def events_kept() -> int:
    """The most events that one stream keeps."""
    return int(_value("EVENTS_KEPT", 100_000))
