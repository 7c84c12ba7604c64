from __future__ import annotations

from delivery.models.message import Message


class DeadLetter(Message):
    """A message as the admin's dead letter queue shows it, with permissions of its own."""

    class Meta:
        proxy = True
        verbose_name = "dead letter"
