"""The ``HTTPOPT`` settings dict, typed, read live. Every key may be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from httpopt.versions.tracked import Tracked

DEFAULTS: dict[str, Any] = {
    "ENABLED": True,
    "TRACKED": None,
    "POSITION": None,
    "ON_NOT_MODIFIED": None,
    "REQUIRE_IF_MATCH": False,
    "AUDIT": 0.0,
    "RELEASE": "",
    "MINIMUM_BYTES": 1024,
    "OFF_LOOP_BYTES": 100_000,
    "PADDING_BYTES": 64,
    "MAX_DECODED_BYTES": 6 * 2**20,
    "MAX_FIELDS": 100,
    "MAX_FIELDS_DEPTH": 4,
}


def value(name: str) -> Any:
    return getattr(settings, "HTTPOPT", {}).get(name, DEFAULTS[name])


def enabled() -> bool:
    """Off: no compression, no 304s, ``fields`` is ignored. Tags and If-Match stay."""
    return bool(value("ENABLED"))


def tracked() -> Sequence[Tracked]:
    """The declarations that the dotted path ``TRACKED`` names; none by default."""
    path = value("TRACKED")
    declared: Sequence[Tracked] = import_string(path) if path else ()
    return declared


def position() -> Callable[[Request, APIView], str | None] | None:
    """What gives a request's ``Stream-Position``, by the dotted path ``POSITION``."""
    path = value("POSITION")
    hook: Callable[[Request, APIView], str | None] | None = import_string(path) if path else None
    return hook


def on_not_modified() -> Callable[[HttpRequest], None] | None:
    """What hears of each 304, by the dotted path ``ON_NOT_MODIFIED``."""
    path = value("ON_NOT_MODIFIED")
    hook: Callable[[HttpRequest], None] | None = import_string(path) if path else None
    return hook


def require_if_match() -> bool:
    """Whether a PATCH, PUT or DELETE without If-Match is answered 428."""
    return bool(value("REQUIRE_IF_MATCH"))


def audit() -> float:
    """The share of 304s, 0 to 1, that are rendered all the same and compared."""
    return float(value("AUDIT"))


def release() -> str:
    """Part of every tag: a new release may render the same data differently."""
    return str(value("RELEASE"))


def minimum_bytes() -> int:
    """Bodies up to this size are sent as they are."""
    return int(value("MINIMUM_BYTES"))


def off_loop_bytes() -> int:
    """Under ASGI, larger bodies are compressed in a thread."""
    return int(value("OFF_LOOP_BYTES"))


def padding_bytes() -> int:
    """The greatest length of ``X-Padding``."""
    return int(value("PADDING_BYTES"))


def max_decoded_bytes() -> int:
    """Return how many bytes a request body with a content coding may decode to."""
    return int(value("MAX_DECODED_BYTES"))


def max_fields() -> int:
    return int(value("MAX_FIELDS"))


def max_fields_depth() -> int:
    return int(value("MAX_FIELDS_DEPTH"))
