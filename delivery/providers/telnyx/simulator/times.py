"""Times in Telnyx's format: ``2025-03-22T11:28:39.401+00:00``."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(at: datetime | None = None) -> str:
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds")


def parse(text: str) -> datetime:
    """Parse an aware RFC 3339 time. Raise ValueError for any other text."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("The time has no offset.")
    return at
