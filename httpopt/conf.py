"""The ``HTTPOPT`` settings dict, typed. Each function reads the settings when it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from httpopt.versions.tracked import Tracked


class Setting(NamedTuple):
    """The default and the rule of one key."""

    default: Any
    accepts: Callable[[Any], bool]
    rule: str
    """The end of the sentence "it must be …"."""


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_path(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


def _is_whole(value: Any) -> bool:
    return type(value) is int and value >= 0


_BOOL = "True or False"
_PATH = "a dotted path or None"
_SHARE = "a share from 0 to 1"
_WHOLE = "a whole number from 0"

SETTINGS: Mapping[str, Setting] = {
    "ENABLED": Setting(True, _is_bool, _BOOL),
    "TRACKED": Setting(None, _is_path, _PATH),
    "POSITION": Setting(None, _is_path, _PATH),
    "ON_NOT_MODIFIED": Setting(None, _is_path, _PATH),
    "REQUIRE_IF_MATCH": Setting(False, _is_bool, _BOOL),
    "AUDIT": Setting(0.0, _is_share, _SHARE),
    "RELEASE": Setting("", _is_text, "a string"),
    "MINIMUM_BYTES": Setting(1024, _is_whole, _WHOLE),
    "OFF_LOOP_BYTES": Setting(100_000, _is_whole, _WHOLE),
    "PADDING_BYTES": Setting(64, _is_whole, _WHOLE),
    "MAX_DECODED_BYTES": Setting(6 * 2**20, _is_whole, _WHOLE),
    "MAX_FIELDS": Setting(100, _is_whole, _WHOLE),
    "MAX_FIELDS_DEPTH": Setting(4, _is_whole, _WHOLE),
}

_EMPTY: Mapping[str, Any] = {}


def declared() -> Mapping[str, Any]:
    return getattr(settings, "HTTPOPT", _EMPTY)


def value(name: str) -> Any:
    return declared().get(name, SETTINGS[name].default)


def unknown_keys() -> list[str]:
    return sorted(set(declared()) - set(SETTINGS))


def mistakes() -> Iterator[tuple[str, str]]:
    """Yield ``(key, sentence)`` for each value that breaks its rule."""
    for key, setting in SETTINGS.items():
        found = value(key)
        if not setting.accepts(found):
            yield key, f"HTTPOPT[{key!r}] is {found!r}; it must be {setting.rule}."


def _import(name: str) -> Any:
    path = value(name)
    return import_string(path) if path else None


def enabled() -> bool:
    """Return False to compress nothing, answer no 304 and ignore ``fields``.

    Entity tags and If-Match work either way.
    """
    return bool(value("ENABLED"))


def tracked() -> Sequence[Tracked]:
    """Return the declarations at the dotted path ``TRACKED``."""
    declarations: Sequence[Tracked] = _import("TRACKED") or ()
    return declarations


def position() -> Callable[[Request, APIView], str | None] | None:
    """Return the function at ``POSITION``, which makes the ``Stream-Position`` of an answer."""
    hook: Callable[[Request, APIView], str | None] | None = _import("POSITION")
    return hook


def on_not_modified() -> Callable[[HttpRequest], None] | None:
    """Return the function at ``ON_NOT_MODIFIED``; httpopt calls it with the request of each 304."""
    hook: Callable[[HttpRequest], None] | None = _import("ON_NOT_MODIFIED")
    return hook


def require_if_match() -> bool:
    """Return True to answer a PATCH, PUT or DELETE without If-Match with a 428."""
    return bool(value("REQUIRE_IF_MATCH"))


def audit() -> float:
    """Return the share of 304s, 0 to 1, that the audit renders and compares."""
    return float(value("AUDIT"))


def release() -> str:
    """Return a part of every tag, because a new release may render the same data differently."""
    return str(value("RELEASE"))


def minimum_bytes() -> int:
    """Return the largest size of a body that stays uncompressed."""
    return int(value("MINIMUM_BYTES"))


def off_loop_bytes() -> int:
    """Return the largest size of a body that ASGI compresses on the event loop."""
    return int(value("OFF_LOOP_BYTES"))


def padding_bytes() -> int:
    """Return the greatest length of ``X-Padding``."""
    return int(value("PADDING_BYTES"))


def max_decoded_bytes() -> int:
    """Return the size limit of a decoded request body."""
    return int(value("MAX_DECODED_BYTES"))


def max_fields() -> int:
    return int(value("MAX_FIELDS"))


def max_fields_depth() -> int:
    return int(value("MAX_FIELDS_DEPTH"))
