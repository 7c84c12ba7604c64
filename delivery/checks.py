"""System checks of ``DELIVERY``: errors show at start, and not at the first text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist

from delivery import conf
from delivery.providers import registry

_POSITIVE = (
    "LEASE_SECONDS", "BREAKER_OPEN_SECONDS", "THREADS", "CONNECT_TIMEOUT", "READ_TIMEOUT",
    "WEBHOOK_BACKLOG",
)  # fmt: skip
_ALIAS = re.compile(r"[a-z0-9_-]{1,32}")
_RATES = ("ACCOUNT_RATE", "SENDER_RATE", "TENANT_RATE")


@register(Tags.compatibility)
def check_delivery(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    return [*_unknown(), *_fields(), *_numbers(), *_spool(), *_places(), *_providers(), *_times()]


def _unknown() -> Iterator[CheckMessage]:
    """Warn of keys that no code reads: a misspelt setting has no effect."""
    for name in sorted(map(str, set(getattr(settings, "DELIVERY", {})) - conf.NAMES)):
        near = get_close_matches(name.upper(), conf.NAMES, n=1)
        yield checks.Warning(
            f"DELIVERY has an unknown key, {name!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else "Remove it.",
            id="delivery.W002",
        )


def _fields() -> Iterator[CheckMessage]:
    tenant = apps.get_model(conf.tenant_model())
    recipient = apps.get_model(conf.recipient_model())
    named = [
        (tenant, "TENANT_NUMBER_FIELD", conf.tenant_number_field()),
        (recipient, "RECIPIENT_TENANT_FIELD", conf.recipient_tenant_field()),
        (recipient, "RECIPIENT_NUMBER_FIELD", conf.recipient_number_field()),
    ]
    for model, setting, field in named:
        try:
            model._meta.get_field(field)
        except FieldDoesNotExist:
            yield Error(
                f"DELIVERY[{setting!r}] is {field!r}, which {model._meta.label} does not have.",
                hint="Name one of its fields.",
                id="delivery.E001",
            )


def _times() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        yield Error(
            "USE_TZ is False: the times of retries, leases and webhooks are times in UTC.",
            hint="Set USE_TZ = True. Your own pages can still show local times.",
            id="delivery.E010",
        )


def _numbers() -> Iterator[CheckMessage]:
    given = getattr(settings, "DELIVERY", {})
    for name in _POSITIVE:
        if name in given and not _is_positive(given[name]):
            yield _wrong_number(name, given[name], "a number above 0")
    for name in _RATES:
        if given.get(name) is not None and not _is_positive(given[name]):
            yield _wrong_number(name, given[name], "parts per second above 0, or None")
    parts = given.get("DAILY_PARTS")
    if parts is not None and not (isinstance(parts, int) and _is_positive(parts + 1)):
        yield _wrong_number("DAILY_PARTS", parts, "message parts in 24 hours, or None")
    yield from _countries(given.get("COUNTRIES"))
    delays = given.get("RETRY_DELAYS", ())
    if not isinstance(delays, list | tuple) or not all(
        _is_positive(delay) or delay == 0 for delay in delays
    ):
        yield _wrong_number("RETRY_DELAYS", delays, "a list of seconds")
    if given.get("MODE", "queued") not in {"queued", "sync"}:
        yield Error(
            f"DELIVERY['MODE'] is {given['MODE']!r}.",
            hint="Use 'queued' or 'sync'.",
            id="delivery.E003",
        )


def _countries(given: Any) -> Iterator[CheckMessage]:
    codes = [given] if isinstance(given, str) else given
    if codes is not None and not (
        isinstance(codes, list | tuple | set | frozenset)
        and all(isinstance(code, str) and (code == "*" or len(code) == 2) for code in codes)
    ):
        yield Error(
            f"DELIVERY['COUNTRIES'] is {given!r}.",
            hint="Use a list of ISO 3166 codes, '*' for every country, or None for the tenant's own.",
            id="delivery.E008",
        )
    if codes is None or "*" not in codes:
        try:
            import_module("phonenumbers")
        except ImportError:
            yield Error(
                "The country of a number is unknown: phonenumbers is not installed.",
                hint="Install phonenumbers, or set DELIVERY['COUNTRIES'] = '*'.",
                id="delivery.E009",
            )


def _spool() -> Iterator[CheckMessage]:
    given = getattr(settings, "DELIVERY", {}).get("WEBHOOK_SPOOL")
    if given and not (
        isinstance(given, dict)
        and given.get("DIRECTORY")
        and set(given) <= {"DIRECTORY", "BYTES"}
        and _is_positive(given.get("BYTES", 1))
    ):
        yield Error(
            f"DELIVERY['WEBHOOK_SPOOL'] is {given!r}.",
            hint="Use None, or {'DIRECTORY': a path, 'BYTES': the most bytes in it}.",
            id="delivery.E014",
        )


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _wrong_number(name: str, value: Any, wanted: str) -> Error:
    return Error(
        f"DELIVERY[{name!r}] is {value!r}.", hint=f"It must be {wanted}.", id="delivery.E002"
    )


def _places() -> Iterator[CheckMessage]:
    parts = urlsplit(conf.public_url())
    if conf.public_url() and not (parts.scheme in {"http", "https"} and parts.netloc):
        yield Error(
            f"DELIVERY['PUBLIC_URL'] is {conf.public_url()!r}, which is not an http or https URL.",
            hint="Give it with its scheme and host.",
            id="delivery.E004",
        )
    if not apps.is_installed("django_q"):
        yield Error(
            "The worker runs on django-q2, and django_q is not in INSTALLED_APPS.",
            hint="Add 'django_q'.",
            id="delivery.E006",
        )
    if not conf.public_url():
        yield checks.Warning(
            "DELIVERY['PUBLIC_URL'] is not set: no provider can report on a text.",
            hint="Set the origin under which providers reach this site.",
            id="delivery.W001",
        )


def _providers() -> Iterator[CheckMessage]:
    aliases = registry.aliases()
    if not aliases:
        yield Error(
            "DELIVERY['PROVIDERS'] is empty: no text can be sent.",
            hint="Name an account: {'main': {'BACKEND': 'delivery.providers.….Provider', …}}.",
            id="delivery.E011",
        )
    elif conf.default_provider() not in aliases:
        yield Error(
            f"DELIVERY['DEFAULT_PROVIDER'] is {conf.default_provider()!r}, which PROVIDERS lacks.",
            hint=f"Use one of {', '.join(aliases)}.",
            id="delivery.E012",
        )
    for alias in aliases:
        if not _ALIAS.fullmatch(alias):
            yield Error(
                f"DELIVERY['PROVIDERS'] has the alias {alias!r}, which cannot stand in a URL.",
                hint="Use up to 32 lower-case letters, digits, hyphens and underscores.",
                id="delivery.E013",
            )
        yield from _provider(alias)


def _provider(alias: str) -> Iterator[CheckMessage]:
    options = conf.provider_options(alias)
    try:
        provider = registry.get(alias)
    except (ImportError, ValueError):
        yield Error(
            f"BACKEND of the provider {alias!r} is {options.get('BACKEND')!r}, which cannot be "
            "imported.",
            hint="Give the dotted path of a subclass of delivery.providers.base.Provider.",
            id="delivery.E005",
        )
        return
    for name in ("ACCOUNT_RATE", "SENDER_RATE"):
        if options.get(name) is not None and not _is_positive(options[name]):
            yield _wrong_number(name, options[name], "parts per second above 0, or None")
    yield from provider.check()
