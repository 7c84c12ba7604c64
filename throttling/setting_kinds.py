"""What each key of ``THROTTLING`` must be, so that a wrong one is named before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Rule = tuple[str, Callable[[Any], bool]]


def wrong(declared: object) -> Iterator[str]:
    """What is wrong, a sentence each; other checks can read the settings where this is empty."""
    if not isinstance(declared, Mapping):
        yield f"THROTTLING is {declared!r}; it must be a dict."
        return
    for key, value in declared.items():
        if key not in _RULES:
            yield f"THROTTLING has no key {key!r}."
            continue
        must, holds = _RULES[key]
        if not holds(value):
            yield f"THROTTLING[{key!r}] is {value!r}; it must be {must}."


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _names(value: Any) -> bool:
    # A string is a sequence of strings too, and never what was meant.
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _whole(least: int, most: float = float("inf")) -> Rule:
    must = f"a whole number from {least}" + ("" if most == float("inf") else f" to {most}")
    return must, lambda value: type(value) is int and least <= value <= most


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _text_or_nothing(value: Any) -> bool:
    return value is None or isinstance(value, str)


_TEXT: Rule = ("a string", _is(str))
_TEXT_OR_NOTHING: Rule = ("a string or None", _text_or_nothing)
_NAMES: Rule = ("a list of strings", _names)
_DICT: Rule = ("a dict", _is(Mapping))

_RULES: Mapping[str, Rule] = {
    "ENABLED": ("True or False", _is(bool)),
    "CACHE_ALIAS": _TEXT,
    "KEY_PREFIX": _TEXT,
    "TRUSTED_PROXIES": _NAMES,
    "IPV6_PREFIX": _whole(1, 128),
    "AUTHENTICATED_POLICIES": _NAMES,
    "ANONYMOUS_POLICIES": _NAMES,
    "POLICIES": _DICT,
    "PLANS": _DICT,
    "PLAN_OF": _TEXT_OR_NOTHING,
    "TOKEN_OF": _TEXT_OR_NOTHING,
    "LOCAL_PROCESSES": _whole(1),
    "COARSE_LOGIN_RATE": _TEXT_OR_NOTHING,
    "KNOWN_ADDRESS_DAYS": _whole(1),
    "ALLOWLIST_MAX_AGE": ("seconds, 0 or more", _seconds),
}
