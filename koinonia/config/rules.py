"""Validation of environment variables: each rule raises ValidationError with a full sentence."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import os
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import environs
from environs import ValidationError, validate

from koinonia.config import redis_settings
from throttling import rates

Rule = Callable[[str], None]
Items = list[str]


class Env(environs.Env):
    """environs' reader, with lists that ignore spaces around items and empty items.

    ``environs`` splits at the comma and keeps the spaces, so that the second host of
    ``ALLOWED_HOSTS=a.example.org, b.example.org`` would never match.
    """

    def list(  # type: ignore[override]  # the library declares a callable attribute
        self,
        name: str,
        *default: Any,
        validate: Callable[[Sequence[str]], None] | None = None,
        **options: Any,
    ) -> Items:
        """Return the items as text; ``validate`` gets them stripped and without empty items."""

        def check(items: Sequence[str]) -> None:
            if validate is not None:
                validate(_without_empty(items))

        split: Any = super().list
        found = split(name, *default, subcast=str.strip, validate=check, **options)
        # environs returns None for a bad value; ``seal`` reports it.
        return _without_empty(found or ())

    def text(self, name: str, default: str, rule: Rule) -> str:
        """Return the text of the variable, ``default`` if it is empty or absent."""
        if not os.environ.get(name):
            return default
        # environs returns None for a bad value, and ``seal`` reports it.
        return self.str(name, validate=rule) or default

    def choice(self, name: str, *choices: str, default: str) -> str:
        """Return the variable, which must be one of ``choices``."""
        return self.str(name, default, validate=validate.OneOf(choices))


def _without_empty(items: Sequence[str]) -> Items:
    return [item for item in items if item]


def rate(value: str) -> None:
    try:
        rates.parse(value)
    except rates.InvalidRateError as error:
        raise ValidationError(str(error)) from error


def price(value: str) -> None:
    """Accept a decimal number, 0 or more."""
    try:
        usable = Decimal(value).is_finite() and Decimal(value) >= 0
    except InvalidOperation:
        usable = False
    if not usable:
        raise ValidationError(f"{value!r} must be a decimal number, such as 0.014.")


def network(value: str) -> None:
    """Accept an address or a CIDR without host bits."""
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValidationError(f"{value!r} is no address or CIDR: {error}.") from error


def listening_address(value: str) -> None:
    """Accept ``address:port``, an IPv6 address in brackets."""
    host, _, port = value.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise ValidationError(f"{value!r} is no address and port: {error}.") from error
    if is_bracketed != (address.version == 6) or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValidationError(f"{value!r} is no address and port, such as 127.0.0.1:9108.")


def country(value: str) -> None:
    """Accept an ISO 3166 code that has telephone numbers, or ``*``."""
    import phonenumbers  # here, because most processes do not need its list of countries

    code = value.strip().upper()
    if code != "*" and code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(
            f"{value!r} is not a country. Write ISO codes such as US,CA, or * for all."
        )


def url(*schemes: str) -> Rule:
    """Return a rule that accepts a URL with a host and a valid port."""

    def check(value: str) -> None:
        parts = _split(value)
        if parts.scheme not in schemes:
            raise ValidationError(f"{_shown(parts)} must start with {_either(schemes)}.")
        if not parts.netloc:
            raise ValidationError(f"{_shown(parts)} names no host.")

    return check


def origin(value: str) -> None:
    """Accept ``https://host[:port]`` with nothing after it."""
    url("http", "https")(value)
    parts = urlsplit(value)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValidationError(f"{_shown(parts)} must be an origin: scheme, host and port alone.")


def exact_origin(value: str) -> None:
    """Accept an origin without a wildcard, as a browser sends it."""
    origin(value.strip())
    if "*" in value:
        raise ValidationError("A wildcard is not allowed here: name each origin.")


def trusted_origin(value: str) -> None:
    """Accept an item of Django's CSRF_TRUSTED_ORIGINS, such as ``https://*.example.org``."""
    origin(value.rstrip("/"))


def redis_prefix(value: str) -> None:
    """Accept a prefix for keys and channel names."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value):
        raise ValidationError("Must be 1 to 40 letters, digits, hyphens and underscores.")


def redis_url(value: str) -> None:
    _redis_server(value)
    try:
        redis_settings.number(value)
    except ValueError:
        raise ValidationError(
            "Its database must be a number: redis://host/5, unix:///path?db=5 or"
            " redis+sentinel://host/master/5."
        ) from None


def _redis_server(value: str) -> None:
    parts = _split(value)
    if parts.scheme == "unix":
        if not parts.path:
            raise ValidationError("unix:// must be followed by the path of the socket.")
    elif parts.scheme == redis_settings.SENTINEL_SCHEME:
        _sentinel(value)
    else:
        url("redis", "rediss", "unix", "redis+sentinel")(value)


def database_url(value: str) -> None:
    """Accept one host, or several with commas between them, as libpq does."""
    before, at, after = value.rpartition("@")
    hosts, slash, path = after.partition("/")
    for host in hosts.split(","):
        url("postgres", "postgresql")(f"{before}{at}{host}{slash}{path}" if at else value)
    if not urlsplit(value).path.strip("/"):
        raise ValidationError("The URL names no database: postgres://user:password@host/database.")


_MAIL_SCHEMES = ("smtp", "submission", "console", "file", "memory", "dummy")


def email_url(value: str) -> None:
    """Accept a URL of dj-email-url; a mail server needs a host, and a timeout is whole seconds."""
    parts = _split(value)
    if parts.scheme not in _MAIL_SCHEMES:
        raise ValidationError(f"{_shown(parts)} must start with {_either(_MAIL_SCHEMES)}.")
    if parts.scheme in {"smtp", "submission"} and not parts.hostname:
        raise ValidationError(f"{_shown(parts)} names no host.")
    if not all(seconds.isdecimal() for seconds in parse_qs(parts.query).get("timeout", [])):
        raise ValidationError("timeout must be a number of seconds.")


def is_email_url(value: str) -> bool:
    try:
        email_url(value)
    except ValidationError:
        return False
    return True


def public_key(value: str) -> None:
    """Accept the base64 of an Ed25519 public key, or an empty value."""
    try:
        length = len(base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise ValidationError("This is not base64.") from error
    if value and length != 32:
        raise ValidationError(f"An Ed25519 public key has 32 bytes; this has {length}.")


def public_keys(value: str) -> None:
    """Accept one public key, or two with a comma between them."""
    for one in value.split(","):
        public_key(one.strip())


def webhook_secret(value: str) -> None:
    """Accept ``whsec_`` and the base64 of at least 24 bytes, as Standard Webhooks asks for."""
    prefix, _, encoded = value.partition("_")
    try:
        length = len(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        length = 0
    if prefix != "whsec" or length < _LEAST_SECRET_BYTES:
        # The message must not quote the secret.
        raise ValidationError("This is not whsec_ and the base64 of 24 to 64 random bytes.")


_LEAST_SECRET_BYTES = 24


def email_address(value: str) -> None:
    """Accept an address with one ``@`` and a host."""
    name, _, host = value.partition("@")
    if not name or "." not in host.strip(".") or "@" in host or " " in value:
        raise ValidationError(f"{value!r} is no e-mail address.")


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
    """Return a rule that applies ``rule`` to every item of a list and reports every problem."""

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
    try:
        redis_settings.parse_sentinel(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        if parts.scheme != redis_settings.SENTINEL_SCHEME:
            _ = parts.port  # Raises ValueError if the port is not a number.
    except ValueError as error:
        # The message of the error may quote a password.
        raise ValidationError("This is no URL: check its port and its brackets.") from error
    return parts


def _shown(parts: SplitResult) -> str:
    # Leave the password out: the message goes to logs.
    return f"'{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}'"


def _either(schemes: Sequence[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in schemes)


def has_opentelemetry(wanted: bool) -> None:
    """Raise ValidationError where spans are wanted and their packages are missing."""
    if not wanted:
        return
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ValidationError("Install the extra first: pip install 'koinonia[otel]'.")
