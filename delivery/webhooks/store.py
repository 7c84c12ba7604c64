"""Stores events in groups: events that arrive during a commit share the next transaction.

A commit costs more than a row. Under load each request would wait for the commits of all before it;
in groups it waits for two at most.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from delivery.models import WebhookEvent
from delivery.queue import hints


class NotStoredError(Exception):
    """The event is not stored. The answer is 500, so that the provider repeats it, if it ever does."""


@dataclass(slots=True, eq=False)
class _Arrival:
    event: WebhookEvent
    done: bool = False
    error: Exception | None = None


class GroupedStore:
    """The first free thread writes the events of all waiting threads."""

    def __init__(self, write: Callable[[Sequence[WebhookEvent]], None]) -> None:
        self._write = write
        self._arrivals: list[_Arrival] = []
        self._arriving = threading.Lock()
        self._writing = threading.Lock()

    @property
    def waiting(self) -> int:
        """Return the number of events that no thread writes yet."""
        return len(self._arrivals)

    def store(self, event: WebhookEvent) -> None:
        """Return once the event is committed. Raises :class:`NotStoredError`."""
        mine = _Arrival(event)
        with self._arriving:
            self._arrivals.append(mine)
        with self._writing:
            if not mine.done:
                self._store(self._take())
        if mine.error is not None:
            raise NotStoredError("The event could not be stored.") from mine.error

    def _take(self) -> list[_Arrival]:
        with self._arriving:
            group, self._arrivals = self._arrivals, []
        return group

    def _store(self, group: list[_Arrival]) -> None:
        try:
            self._write([arrival.event for arrival in group])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, OperationalError | InterfaceError):
                # Store the events one by one to find the faulty event.
                for arrival in group:
                    self._store([arrival])
                return
            for arrival in group:
                arrival.error = error
        for arrival in group:
            arrival.done = True


def _insert(events: Sequence[WebhookEvent]) -> None:
    """Insert new events: a provider repeats an event, even two copies at a time."""
    # Sort, so that two processes with the same events cannot deadlock.
    rows = sorted(events, key=lambda event: (event.provider, event.event_id))
    WebhookEvent.objects.bulk_create(rows, ignore_conflicts=True)
    hints.push()


events = GroupedStore(_insert)
"""The group of this process."""
