"""The record of accepted texts. Chaos tests judge by it, so it is exact under any load."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    id: str
    to: str
    from_: str
    text: str
    idempotency_key: str | None
    accepted_at: str
    replays: int = 0

    def compact(self) -> dict[str, Any]:
        fields = asdict(self)
        fields["from"] = fields.pop("from_")
        return fields


class Ledger:
    """Entries in the order of acceptance. ``capacity`` (none by default) bounds it: when it is
    full, nothing more is recorded and the summary says how many are ``unrecorded``."""

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._entries: list[Entry] = []
            self._by_key: dict[str, Entry] = {}
            self._refusals: Counter[str] = Counter()
            self._requests = self._replays = self._unrecorded = 0

    def request(self) -> None:
        """Count a POST, accepted or not."""
        with self._lock:
            self._requests += 1

    def accept(self, entry: Entry) -> None:
        with self._lock:
            if self._capacity is not None and len(self._entries) >= self._capacity:
                self._unrecorded += 1
                return
            self._entries.append(entry)
            if entry.idempotency_key is not None:
                self._by_key[entry.idempotency_key] = entry

    def replay(self, key: str) -> None:
        """Count a request that got the first answer again; nothing was accepted."""
        with self._lock:
            self._replays += 1
            if (entry := self._by_key.get(key)) is not None:
                entry.replays += 1

    def refuse(self, reason: str) -> None:
        """Count a refusal by its reason: the provider's code, or the name of a fault."""
        with self._lock:
            self._refusals[reason] += 1

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def page(self, after: int = 0, limit: int = 1000, to: str | None = None) -> dict[str, Any]:
        """Return ``{total, next, entries}`` from position ``after``; ``next`` is None at the end."""
        with self._lock:
            chosen = self._entries
            if to is not None:
                chosen = [entry for entry in self._entries if entry.to == to]
            total, part = len(chosen), chosen[after : after + limit]
            entries = [entry.compact() for entry in part]
        end = after + len(entries)
        return {"total": total, "next": end if end < total else None, "entries": entries}

    def summary(self) -> dict[str, Any]:
        """Return the counts. ``unique`` counts distinct (from, to, text); ``duplicates`` says how many
        texts each recipient got too often."""
        with self._lock:
            texts = Counter((entry.from_, entry.to, entry.text) for entry in self._entries)
            duplicates: Counter[str] = Counter()
            for (_, to, _), count in texts.items():
                if count > 1:
                    duplicates[to] += count - 1
            return {
                "requests": self._requests,
                "accepted": len(self._entries) + self._unrecorded,
                "unique": len(texts),
                "recipients": len({entry.to for entry in self._entries}),
                "replays": self._replays,
                "refused": dict(self._refusals),
                "duplicates": dict(duplicates),
                "unrecorded": self._unrecorded,
            }
