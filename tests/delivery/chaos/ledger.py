"""What the provider took, against what our database says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from delivery.providers.telnyx.simulator.ledger import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """A text as the database has it."""

    to: str
    text: str
    status: str
    provider_id: str | None
    calls: int
    attempt_rows: int


def lost(rows: Iterable[Row], entries: Iterable[Entry]) -> list[Row]:
    """Texts that the provider never took."""
    taken = {(entry.to, entry.text) for entry in entries}
    return [row for row in rows if (row.to, row.text) not in taken]


def doubled(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Texts that somebody got twice."""
    times = Counter((entry.to, entry.text) for entry in entries)
    return [text for text, count in times.items() if count > 1]


def misnamed(rows: Iterable[Row], entries: Iterable[Entry]) -> list[Row]:
    """Rows that hold the provider's id of another text, or none."""
    ids = {(entry.to, entry.text): entry.id for entry in entries}
    return [row for row in rows if ids.get((row.to, row.text)) != row.provider_id]


def unexplained(rows: Iterable[Row]) -> list[Row]:
    """Rows whose calls are not all written down as attempts."""
    return [row for row in rows if row.calls != row.attempt_rows]
