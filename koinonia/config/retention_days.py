"""The environment variables for the deletion of old rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from environs import ValidationError, validate

from koinonia.config import rules
from koinonia.zones import NO_ZONE, is_zone

LEAST_DAYS_OF_TEXTS = 35
"""Reports, look-ups and late webhooks need the texts of the last month (``delivery.retention.texts``)."""
_LONGEST = 36_500


@dataclass(frozen=True, kw_only=True)
class Retention:
    texts_days: int | None
    """KEEP_TEXTS_DAYS: days after their last change, at least 35; default ``none`` keeps texts forever."""
    webhooks_days: int
    """KEEP_WEBHOOKS_DAYS: days after a webhook was applied, 30."""
    events_days: int
    """KEEP_EVENTS_DAYS: days for which a client can resume the stream of events, 7."""
    audit_days: int | None
    """KEEP_AUDIT_DAYS: days of the admin's log, ended holds and breaker changes; default ``none``: forever."""
    archive_dir: Path | None
    """ARCHIVE_DIR: the folder for what is deleted, DATA_DIR/archive; ``none`` keeps no archive."""
    prune_hour: int | None
    """PRUNE_HOUR: the hour of the night at which a worker deletes, 3; ``none``: no worker does."""
    prune_timezone: str
    """PRUNE_TIMEZONE: the time zone of that hour, such as America/Chicago; UTC."""


def read(env: rules.Env, data_dir: Path) -> Retention:
    """Read the variables; ``env`` collects the problems."""
    folder = os.environ.get("ARCHIVE_DIR", "") or str(data_dir / "archive")
    return Retention(
        texts_days=_days(env, "KEEP_TEXTS_DAYS", None, least=LEAST_DAYS_OF_TEXTS),
        webhooks_days=_days(env, "KEEP_WEBHOOKS_DAYS", 30) or 30,
        events_days=_days(env, "KEEP_EVENTS_DAYS", 7) or 7,
        audit_days=_days(env, "KEEP_AUDIT_DAYS", None),
        archive_dir=None if folder.lower() == "none" else data_dir / folder,
        prune_hour=_hour(env),
        prune_timezone=env.str("PRUNE_TIMEZONE", "UTC", validate=_zone),
    )


def _days(env: rules.Env, name: str, default: int | None, *, least: int = 1) -> int | None:
    given = os.environ.get(name, "").lower()
    if given == "" or (given == "none" and default is None):
        return default
    return env.int(name, validate=validate.Range(least, _LONGEST))


def _hour(env: rules.Env) -> int | None:
    if os.environ.get("PRUNE_HOUR", "").lower() == "none":
        return None
    return env.int("PRUNE_HOUR", 3, validate=validate.Range(0, 23))


def _zone(value: str) -> None:
    if not is_zone(value):
        raise ValidationError(NO_ZONE)
