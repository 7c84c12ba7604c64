"""The host's part in the deletion of old messages (``DELIVERY["DELETION"]``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from delivery.models import Message


class Deletion(Protocol):
    """Chooses the messages, and corrects the host's rows."""

    def days_kept(self) -> Mapping[Any, int]:
        """Return the age in days at which messages are deleted, by key of tenant.

        A tenant without an entry keeps its messages forever.
        """

    def lock_threads(self, threads: Collection[int]) -> Collection[int]:
        """Lock the rows of ``threads`` without waiting. Return the locked ones.

        The messages of the other threads stay until the next night. The messages are already locked, so
        waiting could deadlock with a transaction that locks a thread first.
        """

    def deleted(self, messages: Sequence[Message]) -> None:
        """Correct what refers to ``messages``, in the transaction that has deleted them."""


class KeepsEverything:
    """The deletion of a host that keeps its messages forever."""

    def days_kept(self) -> Mapping[Any, int]:
        return {}

    def lock_threads(self, threads: Collection[int]) -> Collection[int]:
        return threads

    def deleted(self, messages: Sequence[Message]) -> None:
        """Do nothing."""
