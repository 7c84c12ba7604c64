from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from koinonia.models.church import Church

RESERVED_FOR = timedelta(days=30)


class SendingNumber(models.Model):
    """A number that the operator gave to a church, and to whom it belongs.

    There is one row per number, so that no number belongs to two churches. A number that was given
    up keeps its row, and its church, while it is reserved.
    """

    number = models.CharField(max_length=16, unique=True)
    """E.164."""
    church = models.ForeignKey(
        Church, models.SET_NULL, null=True, blank=True, related_name="sending_numbers"
    )
    """None: the church was deleted."""
    provider = models.CharField(max_length=20, default="telnyx", db_default="telnyx")
    """The provider account that the number belongs to: a key of ``DELIVERY["PROVIDERS"]``."""
    second = models.BooleanField(default=False, db_default=False)
    """The number of another provider, for times when the first provider does not answer."""
    given_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True, blank=True)
    """None: the church texts from it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["church", "second"],
                condition=models.Q(given_up_at=None),
                name="one_first_and_one_second_number",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def reserved_until(self) -> datetime | None:
        """Return when the 30 days end; None while the number is in use."""
        return self.given_up_at + RESERVED_FOR if self.given_up_at else None
