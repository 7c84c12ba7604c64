"""How many sockets each user has in the other web processes.

Each process tells the others in one row, every few seconds, and reads theirs: no write per socket,
and no Redis. One that was killed is forgotten after ``DEAD_AFTER_SECONDS``. While the database is
away the last counts stand (docs/decisions/0007).
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import inf

from realtime.models import WebProcess

RENEW_SECONDS = 5.0
DEAD_AFTER_SECONDS = 15
_FORGOTTEN_AFTER = timedelta(hours=1)


class Census:
    """This process's view; ``exchange`` is synchronous, the rest asks nobody."""

    def __init__(self, name: str = "") -> None:
        self.name = name or secrets.token_hex(8)
        self._told: dict[str, int] = {}
        self._told_at: datetime | None = None
        self._others: dict[str, Mapping[str, int]] = {}
        self._heard_at = -inf

    def exchange(self, own: Mapping[int, int], now: datetime) -> None:
        """Tell how many sockets each user has here, and learn what the others tell."""
        self._tell({str(user_id): count for user_id, count in own.items()}, now)
        alive = WebProcess.objects.filter(seen_at__gt=now - timedelta(seconds=DEAD_AFTER_SECONDS))
        others = alive.exclude(name=self.name)
        self._others = dict(others.values_list("name", "sockets"))
        self._heard_at = time.monotonic()

    def is_older_than(self, seconds: float) -> bool:
        return time.monotonic() - self._heard_at > seconds

    def elsewhere(self, user_id: int) -> int:
        """Sockets of the user in other processes, as last heard."""
        return sum(sockets.get(str(user_id), 0) for sockets in self._others.values())

    def too_many(self, own: Mapping[int, int], most: int) -> Counter[int]:
        """How many sockets of which users this process has to close."""
        found: Counter[int] = Counter()
        for user_id, count in own.items():
            counts = {name: sockets.get(str(user_id), 0) for name, sockets in self._others.items()}
            found[user_id] = excess(self.name, {**counts, self.name: count}, most)
        return +found

    def _tell(self, sockets: dict[str, int], now: datetime) -> None:
        due = self._told_at is None or now - self._told_at >= timedelta(seconds=RENEW_SECONDS)
        if sockets == self._told and not (due and sockets):
            return
        if sockets:
            WebProcess.objects.update_or_create(
                name=self.name, defaults={"sockets": sockets, "seen_at": now}
            )
        else:
            WebProcess.objects.filter(name=self.name).delete()
        WebProcess.objects.filter(seen_at__lt=now - _FORGOTTEN_AFTER).delete()
        self._told, self._told_at = sockets, now


def excess(name: str, counts: Mapping[str, int], most: int) -> int:
    """How many of its sockets the process ``name`` has to close for ``most`` to be left of all.

    Every process that sees the same counts finds the same answer: they have their places in the
    order of their names.
    """
    before = sum(count for other, count in counts.items() if other < name)
    return min(counts[name], max(0, before + counts[name] - most))
