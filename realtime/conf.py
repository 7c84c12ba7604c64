"""The settings dict ``REALTIME``, typed and read live. Only ``MAY_LISTEN`` has no default."""

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
MayTell = Callable[[str, Sequence[str]], Sequence[str]]

DOTTED_PATHS = frozenset(
    {
        "ADDRESS_LIMIT", "BEARER", "CLIENT_ADDRESS", "CONNECT_LIMIT", "LISTENERS", "MAY_LISTEN",
        "MAY_TELL",
    }
)  # fmt: skip
NUMBERS: dict[str, int | float] = {
    "COUNT_SECONDS": 2,
    "EVENTS_KEPT": 100_000,
    "FRAMES_BURST": 60,
    "FRAMES_PER_SECOND": 5,
    "HEARTBEAT_SECONDS": 25,
    "KEEP_ALIVE_SECONDS": 75,
    "RETENTION_DAYS": 7,
    "SOCKETS_PER_ADDRESS": 20,
    "SOCKETS_PER_USER": 20,
    "SWEEP_SECONDS": 4,
    "TAIL_CHECK_SECONDS": 1,
    "TICKET_SECONDS": 30,
    "WINDOW_MS": 30,
}
"""The settings that are numbers above 0, and their defaults."""
KEYS = (
    DOTTED_PATHS
    | NUMBERS.keys()
    | {"ALLOWED_ORIGINS", "CHANNEL_LAYER", "ENABLED", "STOP_GRACE_SECONDS"}
)


def _value(name: str, default: Any = None) -> Any:
    return getattr(settings, "REALTIME", {}).get(name, default)


def _number(name: str) -> float:
    number: float = _value(name, NUMBERS[name])
    return number


def _imported(path: str | None) -> Any | None:
    return import_string(path) if path else None


def enabled() -> bool:
    return bool(_value("ENABLED", True))


def may_listen() -> MayListen:
    """Return the function ``MAY_LISTEN``: ``(user, stream key) -> bool``, synchronous."""
    return cast(MayListen, import_string(_value("MAY_LISTEN")))


def listeners() -> Listeners | None:
    """Return the function ``LISTENERS``: ``(stream key, user ids) -> ids that may listen``.

    The function applies the rule of MAY_LISTEN to many users at once. With it, the periodic check of access is one
    query per stream; without it, one query per socket.
    """
    return cast(Listeners | None, _imported(_value("LISTENERS")))


def may_tell() -> MayTell | None:
    """Return the function ``MAY_TELL``: ``(stream key, events) -> the events to send``.

    Each event is the JSON that clients get. The reader of the log calls the function for live events
    and for replays, because access to an old event may have ended since it was written.
    """
    return cast(MayTell | None, _imported(_value("MAY_TELL")))


def bearer() -> Any | None:
    """Return the object ``BEARER``, like :class:`realtime.credentials.BearerBackend`."""
    return _imported(_value("BEARER"))


def connect_limit() -> Callable[[AbstractBaseUser], bool] | None:
    """Return the function ``CONNECT_LIMIT``: ``(user) -> whether the user may connect once more``."""
    return cast(Callable[[AbstractBaseUser], bool] | None, _imported(_value("CONNECT_LIMIT")))


def client_address() -> Callable[[HttpRequest], str]:
    """Return the function ``CLIENT_ADDRESS``: ``(request) -> address``. It must not block.

    The request has the headers of the handshake. The default returns the peer's address, which
    behind a proxy is the address of the proxy.
    """
    return cast(Callable[[HttpRequest], str], _imported(_value("CLIENT_ADDRESS")) or _peer)


def _peer(request: HttpRequest) -> str:
    return str(request.META["REMOTE_ADDR"])


def address_limit() -> Callable[[HttpRequest], bool] | None:
    """Return the function ``ADDRESS_LIMIT``: ``(request) -> whether its address may fail once more``.

    It is called for each handshake without a valid credential, and only for those.
    """
    return cast(Callable[[HttpRequest], bool] | None, _imported(_value("ADDRESS_LIMIT")))


def sockets_per_address() -> int:
    """Return how many unauthenticated sockets a throttled address may have."""
    return int(_number("SOCKETS_PER_ADDRESS"))


def allowed_origins() -> frozenset[str]:
    """Return the allowed origins other than the site's own, like ``https://app.example.org``."""
    return frozenset(_value("ALLOWED_ORIGINS", settings.CSRF_TRUSTED_ORIGINS))


def channel_layer() -> str:
    """Return the alias of the channel layer that carries notices."""
    return str(_value("CHANNEL_LAYER", "default"))


def heartbeat_seconds() -> float:
    return _number("HEARTBEAT_SECONDS")


def stop_grace_seconds() -> float:
    """Return how long a web process serves on after TERM; 0 or more."""
    return max(0.0, float(_value("STOP_GRACE_SECONDS", 0.0)))


def keep_alive_seconds() -> float:
    """Return how long ``realtime.daphne`` keeps an idle connection: longer than the proxy in front."""
    return float(_number("KEEP_ALIVE_SECONDS"))


def window_seconds() -> float:
    """Return how long a feed collects events for one frame."""
    return float(_number("WINDOW_MS")) / 1000


def tail_check_seconds() -> float:
    """Return the interval of tail checks: the longest delay that a lost notice causes."""
    return float(_number("TAIL_CHECK_SECONDS"))


def sweep_seconds() -> float:
    """Return the interval between two checks of the access of all connections."""
    return float(_number("SWEEP_SECONDS"))


def ticket_seconds() -> int:
    return int(_number("TICKET_SECONDS"))


def sockets_per_user() -> int:
    return int(_number("SOCKETS_PER_USER"))


def frames_per_second() -> float:
    """Return the sustained rate of frames of a socket. Acks that settle a frame do not count."""
    return float(_number("FRAMES_PER_SECOND"))


def frames_burst() -> int:
    """Return how many frames a socket may send at once: three times its streams."""
    return int(_number("FRAMES_BURST"))


def count_seconds() -> float:
    """Return the interval at which web processes exchange their socket counts."""
    return float(_number("COUNT_SECONDS"))


def retention() -> timedelta:
    return timedelta(days=_number("RETENTION_DAYS"))


def events_kept() -> int:
    """Return the maximum number of events that a stream keeps."""
    return int(_number("EVENTS_KEPT"))
