"""Numbers that a tenant must not text, and messages that may ask for that."""

from __future__ import annotations

from django.db import models

from delivery import conf
from delivery.models.message import Message


class OptOut(models.Model):
    """A number that a tenant must not text. It outlives the recipient's row."""

    class Source(models.TextChoices):
        KEYWORD = "keyword"
        """The person texted STOP."""
        PROVIDER = "provider"
        """The provider refused a message because the number had opted out."""
        STAFF = "staff"
        """A person of the tenant recorded it."""
        FILE = "file"
        """An imported file contained it."""

    # The unique constraint begins with it.
    tenant = models.ForeignKey(
        conf.tenant_model(), models.CASCADE, related_name="opt_outs", db_index=False
    )
    number = models.CharField(max_length=16)
    source = models.CharField(max_length=8, choices=Source)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "opt-out"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="opt_out_once_per_number"),
        ]

    def __str__(self) -> str:
        # Without the number: pages and logs that name the row must not show it.
        return f"Opt-out {self.pk} ({self.source})"


class StopRequest(Message):
    """An inbound message that looks like a request to stop the messages, for the admin's list."""

    class Meta:
        proxy = True
        verbose_name = "request to stop"
        verbose_name_plural = "requests to stop"
