"""Times as Telnyx writes them: ``2026-11-22T14:03:07.412+00:00``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_FARTHEST = timedelta(days=3650)


def moment(value: Any, now: datetime) -> datetime | None:
    """The time in ``value``, UTC; None for anything that is no time within ten years of ``now``."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if abs(aware - now) < _FARTHEST else None
