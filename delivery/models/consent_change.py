"""The log of consent. `OptOut` is the state; this is its history, with the agreements that a tenant recorded."""

from __future__ import annotations

from django.db import models

from delivery import conf
from delivery.models.message import loose_reference_to_user
from delivery.models.opt_out import OptOut


class ConsentChange(models.Model):
    """A number opted out of a tenant's texts, took the opt-out back, or agreed to texts.

    The ``source`` of an entry that is no opt-out: ``keyword`` for a START, ``file`` for the statement of a
    user that the people of an imported file have agreed.
    """

    Source = OptOut.Source

    # An index below begins with it.
    tenant = models.ForeignKey(
        conf.tenant_model(), models.CASCADE, related_name="consent_changes", db_index=False
    )
    number = models.CharField(max_length=16)
    opted_out = models.BooleanField()
    """False: the number may be texted again."""
    source = models.CharField(max_length=8, choices=Source)
    by = loose_reference_to_user()
    """The user of the tenant who recorded it."""
    file_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    """The name of the imported file, for the source ``file``."""
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "number", "-id"], name="consent_of_number")]

    def __str__(self) -> str:
        return f"{self.number}: {'out' if self.opted_out else 'in'} ({self.source})"
