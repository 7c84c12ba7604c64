"""Who owns a transaction that changes messages, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from delivery.models import Message
from delivery.signals import messages_changed
from delivery.statuses import Status


@dataclass(frozen=True, slots=True)
class Change:
    """A message as it stands now, and the status it had before (``""`` for a new one)."""

    message: Message
    previous: str

    @property
    def created(self) -> bool:
        return self.previous == ""


class Changes(list[Change]):
    """The changes of one transaction, in order."""

    def add(self, message: Message, *, previous: str = "") -> None:
        """``previous`` may be ``sending``: what stands in the change is the status before it."""
        if previous == Status.SENDING:
            previous = message.claimed_from
        self.append(Change(message, previous))


_open: ContextVar[Changes | None] = ContextVar("delivery_changes", default=None)


@contextmanager
def message_changes(now: datetime) -> Iterator[Changes]:
    """A transaction that changes messages: collects the changes, tells of them once, at its end.

    Nested uses join the outermost one, so that a caller may put more into the same transaction
    (an idempotency record, say) and the signal still comes last.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    changes = Changes()
    with transaction.atomic():
        # Closed before the commit: what runs on_commit has a transaction of its own.
        token = _open.set(changes)
        try:
            yield changes
            if changes:
                messages_changed.send(Message, changes=list(changes), now=now)
        finally:
            _open.reset(token)
