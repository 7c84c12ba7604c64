"""The host's input: the draft of a message, and the hook for messages that are due later.

``delivery`` knows no members. A host that lets people schedule messages names a :class:`Schedule`
by ``DELIVERY["SCHEDULE"]``. Without a schedule, a message is sent unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from delivery.models import Message
    from delivery.models.transitions import Failure

DEFAULT_LIFE = timedelta(hours=24)
"""The time after the due time in which a message may still be sent, by default."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A rendered and addressed message, before it is accepted."""

    to: str
    """E.164, or the digits of a short code."""
    text: str
    recipient_id: int | None = None
    media_urls: tuple[str, ...] = ()
    thread: int | None = None
    template: str = ""
    """The text before it was rendered, if it must be rendered again when due; else empty."""
    failure: Failure | None = None
    """The reason why it cannot be sent. With a reason, the message is stored as a dead letter."""


class Schedule(Protocol):
    """The host's part when messages become due. Several workers may call a method at the same time."""

    def next_due(self, until: datetime) -> datetime | None:
        """Return when the first batch without rows is due, up to ``until``, or None.

        A worker calls this ten times a second: use one indexed query.
        """

    def accept_due(self, now: datetime) -> bool:
        """Accept the messages of one due batch. Return False if no batch is due.

        Use one transaction that also marks the batch as accepted, guarded in the WHERE clause: after
        a crash the batch is still due, and two workers cannot both accept it.
        """

    def redraft(
        self, tenant_id: int, messages: Sequence[Message], now: datetime
    ) -> Mapping[int, Draft | Failure]:
        """Return, by message key, the draft with the present recipient, number and words.

        ``messages`` belong to one tenant, were scheduled, and have no attempt. A :class:`Failure`
        cancels its message and gives the reason. A message without an entry is sent unchanged. The
        engine calls this inside the transaction that has locked ``messages``.
        """


class NothingScheduled:
    """The schedule of a host without scheduled batches."""

    def next_due(self, until: datetime) -> datetime | None:
        return None

    def accept_due(self, now: datetime) -> bool:
        return False

    def redraft(
        self, tenant_id: int, messages: Sequence[Message], now: datetime
    ) -> Mapping[int, Draft | Failure]:
        return {}
