from __future__ import annotations

from django.db import models
from django.db.models import Q

from delivery import conf


class Tally(models.Model):
    """Counts of outbound messages by the time of their creation. Triggers of the database keep them.

    The counts of a quarter of an hour are the sum over its rows, and a row with negative numbers is as
    good as any: ``delivery.tallies`` says why there are several.
    """

    # The release before deletes tenants and does not know this table: use no database constraint.
    tenant = models.ForeignKey(
        conf.tenant_model(), models.CASCADE, null=True, related_name="+", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    """None: the counts of all tenants."""
    quarter = models.BigIntegerField()
    """The number of quarters of an hour since 1970; 0: before the days of the report, and all that waits."""
    shard = models.IntegerField()
    sent = models.BigIntegerField(default=0)
    """Accepted by the provider, whatever became of them."""
    delivered = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    dead = models.BigIntegerField(default=0)
    """Dead or unknown, with the discarded ones."""
    waiting_dead = models.BigIntegerField(default=0)
    """Dead, and not discarded: in quarter 0 alone."""
    waiting_unknown = models.BigIntegerField(default=0)
    """Unknown, and not discarded: in quarter 0 alone."""

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "quarter", "shard"],
                condition=Q(tenant__isnull=False),
                name="tally_once",
            ),
            models.UniqueConstraint(
                fields=["quarter", "shard"],
                condition=Q(tenant__isnull=True),
                name="tally_of_all_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Tally of {self.tenant_id or 'all'} in quarter {self.quarter}"
