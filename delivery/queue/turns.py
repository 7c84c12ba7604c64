"""The order of serving: replies before bulk, and tenants in rotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery.models import Priority
from delivery.providers import registry
from delivery.queue.heads import heads


@dataclass(frozen=True, slots=True)
class Turn:
    """The due messages of one tenant, of one priority, through one provider account."""

    tenant_id: Any
    """Has the type of the host's key: an integer, a UUID, a text."""
    priority: Priority
    provider: str
    """The alias of the account."""


class Turns:
    """Remembers, for one worker, which tenant was served last of each priority."""

    def __init__(self) -> None:
        self._last: dict[Priority, tuple[Any, str]] = {}

    def now(self, now: datetime) -> list[Turn]:
        """Return the turns with due messages, in the order of serving. One query."""
        due = _due(now)
        return [turn for priority in Priority for turn in self._in_rotation(priority, due)]

    def served(self, turn: Turn) -> None:
        self._last[turn.priority] = turn.tenant_id, turn.provider

    def _in_rotation(self, priority: Priority, due: Sequence[Turn]) -> list[Turn]:
        turns = sorted((turn for turn in due if turn.priority == priority), key=_place)
        last = self._last.get(priority)
        if last is None:
            return turns
        after = [turn for turn in turns if _place(turn) > last]
        return after + [turn for turn in turns if _place(turn) <= last]


def tenants_due(now: datetime, aliases: Sequence[str] | None = None) -> list[Any]:
    """Return the keys of the tenants with due messages, of some provider accounts or of all."""
    return [turn.tenant_id for turn in _due(now) if aliases is None or turn.provider in aliases]


def _due(now: datetime) -> list[Turn]:
    """Return the turns of all configured accounts; a message of another account waits."""
    known = set(registry.aliases())
    return [
        Turn(head.tenant_id, Priority(head.priority), head.provider)
        for head in heads()
        if head.is_due(now) and head.provider in known
    ]


def _place(turn: Turn) -> tuple[Any, str]:
    return turn.tenant_id, turn.provider
