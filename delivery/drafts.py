"""A text as the host hands it over, and the host's hook for what is due later.

``delivery`` knows no members. A host that lets people schedule texts names a :class:`Schedule` by
``DELIVERY["SCHEDULE"]``. Without it a scheduled message goes out as it was accepted.
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
"""After it was due a text is too old to be sent, unless its writer says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A text as its writer hands it over, rendered and addressed."""

    to: str
    """E.164, or the digits of a short code."""
    text: str
    recipient_id: int | None = None
    media_urls: tuple[str, ...] = ()
    thread: int | None = None
    template: str = ""
    """The text before it was rendered, where it is to be rendered again when due; else empty."""
    failure: Failure | None = None
    """Why it cannot be sent, where a host wants that seen: the row is made as a dead letter."""


class Schedule(Protocol):
    """The host's side of a due time. Each method may be called by several workers at once."""

    def next_due(self, until: datetime) -> datetime | None:
        """Return when the first batch without rows is due, at ``until`` or before; None: no batch.

        A worker asks ten times a second: one indexed query.
        """

    def accept_due(self, now: datetime) -> bool:
        """Accept the messages of one batch that is due; False where no batch is due.

        All of it is one transaction, which also marks the batch as accepted, guarded in the WHERE
        clause: a crash leaves it due, and two workers cannot both accept it.
        """

    def redraft(
        self, tenant_id: int, messages: Sequence[Message], now: datetime
    ) -> Mapping[int, Draft | Failure]:
        """Return, by key, to whom and in which words each due message goes now.

        ``messages`` are of one tenant, were scheduled, and no call was ever made for them. A
        :class:`Failure` cancels the message and says why. A message that is left out of the answer
        goes as it is. Called inside the transaction that has locked ``messages``.
        """


class NothingScheduled:
    """The schedule of a host that has none."""

    def next_due(self, until: datetime) -> datetime | None:
        return None

    def accept_due(self, now: datetime) -> bool:
        return False

    def redraft(
        self, tenant_id: int, messages: Sequence[Message], now: datetime
    ) -> Mapping[int, Draft | Failure]:
        return {}
