from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from realtime import conf

_KEYS = {
    "ADDRESS_LIMIT", "ALLOWED_ORIGINS", "BEARER", "CHANNEL_LAYER", "CLIENT_ADDRESS",
    "CONNECT_LIMIT", "COUNT_SECONDS", "ENABLED", "EVENTS_KEPT", "FRAMES_BURST",
    "FRAMES_PER_SECOND", "HEARTBEAT_SECONDS", "KEEP_ALIVE_SECONDS", "LISTENERS",
    "MAY_LISTEN", "MAY_TELL",
    "RETENTION_DAYS", "SOCKETS_PER_ADDRESS", "SOCKETS_PER_USER", "SWEEP_SECONDS",
    "TAIL_CHECK_SECONDS", "TICKET_SECONDS", "WINDOW_MS",
}  # fmt: skip
_PATHS = {
    "ADDRESS_LIMIT", "BEARER", "CLIENT_ADDRESS", "CONNECT_LIMIT", "LISTENERS", "MAY_LISTEN",
    "MAY_TELL",
}  # fmt: skip
_NUMBERS = (
    "_SECONDS", "_MS", "_DAYS", "_PER_ADDRESS", "_PER_USER", "_KEPT", "_BURST", "_PER_SECOND",
)  # fmt: skip
_POSITIVE = {key for key in _KEYS if key.endswith(_NUMBERS)}


def register() -> None:
    checks.register(check_settings, "realtime")


def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    values: dict[str, Any] = getattr(settings, "REALTIME", {})
    found: list[checks.CheckMessage] = []
    if not values.get("MAY_LISTEN"):
        found.append(
            checks.Error(
                "REALTIME['MAY_LISTEN'] is missing.",
                hint="Name a function (user, stream key) -> bool by its dotted path: who may listen.",
                id="realtime.E001",
            )
        )
    found.extend(
        checks.Error(
            f"REALTIME[{key!r}] is not a setting.", hint="Is it misspelt?", id="realtime.E002"
        )
        for key in sorted(set(values) - _KEYS)
    )
    found.extend(
        checks.Error(f"REALTIME[{key!r}] must be a number above 0.", id="realtime.E003")
        for key in sorted(_POSITIVE & set(values))
        if not (isinstance(values[key], int | float) and values[key] > 0)
    )
    found.extend(
        checks.Error(
            f"REALTIME[{key!r}] names nothing that can be imported.",
            hint="Give a dotted path.",
            id="realtime.E004",
        )
        for key in sorted(_PATHS & set(values))
        if values[key] and not _can_be_imported(values[key])
    )
    if conf.channel_layer() not in getattr(settings, "CHANNEL_LAYERS", {}):
        found.append(
            checks.Warning(
                f"CHANNEL_LAYERS has no {conf.channel_layer()!r}: each process finds what another "
                "wrote at its next look, up to a second later.",
                hint="Configure RedisPubSubChannelLayer, or REALTIME['CHANNEL_LAYER'].",
                id="realtime.W001",
            )
        )
    return found


def _can_be_imported(path: Any) -> bool:
    try:
        import_string(path)
    except (ImportError, AttributeError, TypeError):
        return False
    return True
