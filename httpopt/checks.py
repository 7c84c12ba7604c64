"""Each misconfiguration has an id and a hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist
from django.utils.module_loading import import_string

from httpopt import conf
from httpopt.versions.install import problems
from httpopt.versions.tracked import Tracked

_OUTERMOST = "httpopt.middleware.CompressionMiddleware"
_FALLBACK = "httpopt.middleware.ContentHashMiddleware"
_DOTTED = ("TRACKED", "POSITION", "ON_NOT_MODIFIED")
_WHOLE_NUMBERS = (
    "MINIMUM_BYTES", "OFF_LOOP_BYTES", "PADDING_BYTES", "MAX_DECODED_BYTES", "MAX_FIELDS",
    "MAX_FIELDS_DEPTH",
)  # fmt: skip


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    given = getattr(settings, "HTTPOPT", {})
    if not isinstance(given, dict):
        return [Error("HTTPOPT must be a dict.", id="httpopt.E001")]
    return [*_unknown(given), *_values(), *_paths()]


def _unknown(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for name in sorted(set(given) - set(conf.DEFAULTS)):
        known = ", ".join(conf.DEFAULTS)
        yield Error(
            f"HTTPOPT has an unknown key {name!r}.", hint=f"Known: {known}.", id="httpopt.E002"
        )


def _values() -> Iterator[CheckMessage]:
    for name in _WHOLE_NUMBERS:
        number = conf.value(name)
        if not isinstance(number, int) or number < 0:
            yield Error(
                f"HTTPOPT[{name!r}] must be a whole number from 0; it is {number!r}.",
                id="httpopt.E003",
            )
    share = conf.value("AUDIT")
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        yield Error(
            f"HTTPOPT['AUDIT'] must be a share from 0 to 1; it is {share!r}.", id="httpopt.E004"
        )


def _paths() -> Iterator[CheckMessage]:
    for name in _DOTTED:
        path = conf.value(name)
        try:
            found = import_string(path) if path else None
        except ImportError as error:
            yield Error(
                f"HTTPOPT[{name!r}] cannot be imported: {error}.",
                hint="Give a dotted path, such as 'project.tracked.TRACKED'.",
                id="httpopt.E005",
            )
        else:
            if name == "TRACKED" and found is not None:
                yield from _declarations(found)


def _declarations(declared: Sequence[Tracked]) -> Iterator[CheckMessage]:
    for one in declared:
        try:
            _ = (one.tenant_column, one.only_columns, one.item_version_column, one.touched)
        except (FieldDoesNotExist, ValueError) as error:
            yield Error(
                f"The tracking of {one.model._meta.label} cannot be made: {error}",
                hint="Paths lead through foreign keys to a column.",
                id="httpopt.E006",
            )
        else:
            if one.tenant_column is not None and not one.tenant_column.is_integer:
                yield Error(
                    f"The tenant of {one.model._meta.label}, {one.tenant!r}, is no integer.",
                    hint="Versions are counted by an integer. Name such a column, or None for all.",
                    id="httpopt.E009",
                )
        if not one.collection.replace("_", "").isalnum() or len(one.collection) > 50:
            yield Error(
                f"{one.collection!r} cannot name a collection.",
                hint="Use up to 50 letters, digits and underscores.",
                id="httpopt.E007",
            )


@register()
def check_middleware(**_: Any) -> list[CheckMessage]:
    order = list(settings.MIDDLEWARE)
    if _OUTERMOST in order and order[0] != _OUTERMOST:
        return [
            Error(
                "CompressionMiddleware must be the outermost middleware.",
                hint=f"Put {_OUTERMOST!r} first in MIDDLEWARE.",
                id="httpopt.E008",
            )
        ]
    if _FALLBACK in order and _OUTERMOST not in order:
        return [
            checks.Warning(
                "ContentHashMiddleware is at work without CompressionMiddleware.",
                hint=f"Put {_OUTERMOST!r} first in MIDDLEWARE, or a 304 has a Content-Length.",
                id="httpopt.W002",
            )
        ]
    return []


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    # No error: migrate, which makes the triggers, runs the checks first.
    return [
        checks.Warning(sentence, hint="Run `manage.py migrate`.", id="httpopt.W001")
        for alias in databases or ()
        for sentence in problems(alias)
    ]
