"""System checks of the settings, the declarations, the middleware and the triggers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist
from django.utils.module_loading import import_string

from httpopt import conf
from httpopt.versions.tracked import Tracked
from httpopt.versions.triggers import problems

_OUTERMOST = "httpopt.middleware.CompressionMiddleware"
_FALLBACK = "httpopt.middleware.ContentHashMiddleware"
_DOTTED = ("TRACKED", "POSITION", "ON_NOT_MODIFIED")


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    given: object = conf.declared()
    if not isinstance(given, dict):
        return [Error("HTTPOPT must be a dict.", id="httpopt.E001")]
    wrong = [*_unknown(), *_values()]
    # Paths can only be imported if their values have the right type.
    return wrong or [*_paths()]


def _unknown() -> Iterator[CheckMessage]:
    for key in conf.unknown_keys():
        known = ", ".join(conf.SETTINGS)
        yield Error(
            f"HTTPOPT has no key {key!r}.", hint=f"The keys are {known}.", id="httpopt.E002"
        )


def _values() -> Iterator[CheckMessage]:
    for key, sentence in conf.mistakes():
        wrong_share = key == "AUDIT"
        yield Error(
            sentence,
            hint="See httpopt/conf.py.",
            id="httpopt.E004" if wrong_share else "httpopt.E003",
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
                f"{one.model._meta.label} cannot be tracked: {error}",
                hint="A path must lead through foreign keys to a column.",
                id="httpopt.E006",
            )
        else:
            if one.tenant_column is not None and not one.tenant_column.is_integer:
                yield Error(
                    f"The tenant of {one.model._meta.label}, {one.tenant!r}, is not an integer.",
                    hint="Versions are counted by an integer. Name an integer column, or None for "
                    "all tenants.",
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
                "ContentHashMiddleware runs without CompressionMiddleware, so a 304 has a "
                "Content-Length.",
                hint=f"Put {_OUTERMOST!r} first in MIDDLEWARE.",
                id="httpopt.W002",
            )
        ]
    return []


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    # A warning, not an error: migrate makes the triggers, and runs the checks before it does.
    return [
        checks.Warning(sentence, hint="Run `manage.py migrate`.", id="httpopt.W001")
        for alias in databases or ()
        for sentence in problems(alias)
    ]
