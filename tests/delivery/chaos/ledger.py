"""Compare the provider's ledger with our database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from delivery.providers.simulator.ledger import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """A message in our database."""

    to: str
    text: str
    status: str
    provider_id: str | None
    calls: int
    attempt_rows: int


def lost(rows: Iterable[Row], entries: Iterable[Entry]) -> list[Row]:
    """Return the messages that the provider never accepted."""
    taken = {(entry.to, entry.text) for entry in entries}
    return [row for row in rows if (row.to, row.text) not in taken]


def doubled(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Return the messages that the provider accepted twice."""
    times = Counter((entry.to, entry.text) for entry in entries)
    return [text for text, count in times.items() if count > 1]


def misnamed(rows: Iterable[Row], entries: Iterable[Entry]) -> list[Row]:
    """Return the rows with a wrong or missing provider id."""
    ids = {(entry.to, entry.text): entry.id for entry in entries}
    return [row for row in rows if ids.get((row.to, row.text)) != row.provider_id]


def unexplained(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that have fewer attempt rows than calls."""
    return [row for row in rows if row.calls != row.attempt_rows]
