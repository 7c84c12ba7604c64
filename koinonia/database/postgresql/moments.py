"""Reads the times of a session whose zone is UTC at the speed of C.

Django reads each timestamptz through a Python class of psycopg, also where psycopg's C classes are
installed: a list of 50 messages with three times each then spends more on its times than on its rows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg.types.datetime import TimestamptzLoader

_parse = datetime.fromisoformat


class UtcLoader(TimestamptzLoader):
    """Loads a timestamptz of a session in UTC: PostgreSQL writes it in ISO 8601 with the offset ``+00``."""

    timezone = UTC
    """Django compares this with the zone of the connection."""

    def load(self, data: Any) -> datetime:
        """Return the time. Raises psycopg's DataError for a year that Python cannot hold."""
        try:
            return _parse(str(data, "ascii"))
        except ValueError:
            # Years before 1 and after 9999, and "infinity": psycopg has the errors for these.
            return super().load(data).replace(tzinfo=UTC)


def load_quickly(connection: Any) -> None:
    """Register the loader on a connection of psycopg."""
    connection.adapters.register_loader("timestamptz", UtcLoader)
