"""Whether this worker has been asked to stop: a drain must not run on for its whole budget."""

from __future__ import annotations

from typing import Protocol


class _Event(Protocol):
    def is_set(self) -> bool: ...


_event: _Event | None = None


def follow(event: _Event) -> None:
    """The event of this cluster; the processes it forks inherit it."""
    global _event
    _event = event


def requested() -> bool:
    return _event is not None and _event.is_set()
