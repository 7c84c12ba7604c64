"""System checks of the ``REALTIME`` settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from realtime import conf


def register() -> None:
    checks.register(check_settings, "realtime")


def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    values: dict[str, Any] = getattr(settings, "REALTIME", {})
    found: list[checks.CheckMessage] = []
    if not values.get("MAY_LISTEN"):
        found.append(
            checks.Error(
                "REALTIME['MAY_LISTEN'] is missing.",
                hint="Set it to the dotted path of a function (user, stream key) -> bool.",
                id="realtime.E001",
            )
        )
    found.extend(
        checks.Error(
            f"REALTIME[{key!r}] is not a setting.", hint="Is it misspelt?", id="realtime.E002"
        )
        for key in sorted(set(values) - conf.KEYS)
    )
    found.extend(
        checks.Error(f"REALTIME[{key!r}] must be a number above 0.", id="realtime.E003")
        for key in sorted(conf.NUMBERS.keys() & set(values))
        if not (isinstance(values[key], int | float) and values[key] > 0)
    )
    found.extend(
        checks.Error(
            f"REALTIME[{key!r}] cannot be imported.",
            hint="Set it to a dotted path.",
            id="realtime.E004",
        )
        for key in sorted(conf.DOTTED_PATHS & set(values))
        if values[key] and not _can_import(values[key])
    )
    if conf.channel_layer() not in getattr(settings, "CHANNEL_LAYERS", {}):
        found.append(
            checks.Warning(
                f"CHANNEL_LAYERS has no {conf.channel_layer()!r}: events of other processes arrive "
                "at the next tail check, up to a second later.",
                hint="Configure RedisPubSubChannelLayer, or REALTIME['CHANNEL_LAYER'].",
                id="realtime.W001",
            )
        )
    return found


def _can_import(path: Any) -> bool:
    try:
        import_string(path)
    except (ImportError, AttributeError, TypeError):
        return False
    return True
