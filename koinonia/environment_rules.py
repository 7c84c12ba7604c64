"""What a variable of the environment may hold: each rule says what is wrong, in a sentence."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from environs import ValidationError

from throttling import rates

Rule = Callable[[str], None]


def rate(value: str) -> None:
    try:
        rates.parse(value)
    except rates.InvalidRateError as error:
        raise ValidationError(str(error)) from error


def network(value: str) -> None:
    """An address or a CIDR, without host bits."""
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValidationError(f"{value!r} is no address or CIDR: {error}.") from error


def url(*schemes: str) -> Rule:
    """A URL with a host, and a port that can be one."""

    def check(value: str) -> None:
        parts = _split(value)
        if parts.scheme not in schemes:
            raise ValidationError(f"{_shown(parts)} must start with {_either(schemes)}.")
        if not parts.netloc:
            raise ValidationError(f"{_shown(parts)} names no host.")

    return check


def origin(value: str) -> None:
    """``https://host[:port]``, and nothing after it."""
    url("http", "https")(value)
    parts = urlsplit(value)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValidationError(f"{_shown(parts)} must be an origin: scheme, host and port alone.")


def exact_origin(value: str) -> None:
    """An origin without a wildcard, which a browser could send as it is."""
    origin(value.strip())
    if "*" in value:
        raise ValidationError("A wildcard is not taken here: name each origin.")


def trusted_origin(value: str) -> None:
    """As Django's CSRF_TRUSTED_ORIGINS: an origin, ``https://*.example.org`` included."""
    origin(value.rstrip("/"))


def redis_url(value: str) -> None:
    parts = _split(value)
    if parts.scheme == "unix":
        if not parts.path:
            raise ValidationError("unix:// must be followed by the path of the socket.")
    elif parts.scheme == "redis+sentinel":
        _sentinel(value)
    else:
        url("redis", "rediss", "unix", "redis+sentinel")(value)


def database_url(value: str) -> None:
    url("postgres", "postgresql")(value)
    if not urlsplit(value).path.strip("/"):
        raise ValidationError("The URL names no database: postgres://user:password@host/database.")


def public_key(value: str) -> None:
    """Base64 of an Ed25519 public key; empty: none."""
    try:
        length = len(base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise ValidationError("This is not base64.") from error
    if value and length != 32:
        raise ValidationError(f"An Ed25519 public key has 32 bytes; this has {length}.")


def positive(value: float) -> None:
    if not 0 < value < math.inf:
        raise ValidationError("Must be a number above 0.")


def delay(value: str) -> None:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 86_400:
        raise ValidationError(f"{value!r} is no delay: 0 to 86400 seconds.")


def each(rule: Rule) -> Callable[[Sequence[str]], None]:
    """``rule`` for every item of a list; all that is wrong is said."""

    def check(values: Sequence[str]) -> None:
        problems: list[str] = []
        for value in values:
            try:
                rule(value)
            except ValidationError as error:
                problems += map(str, error.messages)
        if problems:
            raise ValidationError(problems)

    return check


def _sentinel(value: str) -> None:
    parts = urlsplit(value)
    if not re.fullmatch(r"/[^/]+(/\d+)?", parts.path) or not parts.netloc:
        raise ValidationError(
            "Sentinel is redis+sentinel://[:password@]host[:port],host[:port]/master."
        )


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        if parts.scheme != "redis+sentinel":
            _ = parts.port  # Raises where it is none.
    except ValueError as error:
        # Not the error's own words: they quote what may be a password.
        raise ValidationError("This is no URL: look at its port and its brackets.") from error
    return parts


def _shown(parts: SplitResult) -> str:
    # A URL may hold a password; a message goes to logs.
    return f"'{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}'"


def _either(schemes: Sequence[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in schemes)
