"""Transactions that change messages: each sends one signal with all its changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from delivery.models import Message
from delivery.signals import messages_changed
from delivery.statuses import Status


@dataclass(frozen=True, slots=True)
class Change:
    """A message in its present state, and its previous status (``""`` for a new message)."""

    message: Message
    previous: str

    @property
    def created(self) -> bool:
        return self.previous == ""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """The new messages of one batch, counted: a batch may be too large to name each of them."""

    tenant_id: Any
    batch: int
    counts: Mapping[str, int]
    """The number of messages by status, without zeros."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Changes(list[Change]):
    """The changes of one transaction, in order.

    The messages of a new batch are counted in ``batches``. Of these, only the messages that failed
    at once are changes too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[NewBatch] = []

    def add(self, message: Message, *, previous: str = "") -> None:
        """Add a change. ``previous`` may be ``sending``; the change then has the status before that."""
        if previous == Status.SENDING:
            previous = message.claimed_from
        self.append(Change(message, previous))


_open: ContextVar[Changes | None] = ContextVar("delivery_changes", default=None)


@contextmanager
def message_changes(now: datetime) -> Iterator[Changes]:
    """Open a transaction, collect its changes, and send them in one signal before the commit.

    Nested uses join the outermost one, so that a caller can add writes to the same transaction (an
    idempotency record, for example) and the signal still comes last.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    changes = Changes()
    with transaction.atomic():
        # Reset before the commit: an on_commit function opens a new transaction.
        token = _open.set(changes)
        try:
            yield changes
            if changes or changes.batches:
                messages_changed.send(
                    Message, changes=list(changes), batches=list(changes.batches), now=now
                )
        finally:
            _open.reset(token)
