from __future__ import annotations

from django.db import models


class BatchCount(models.Model):
    """The number of messages of a batch with one status. Triggers of the database keep it.

    A count is the sum over the rows of all shards; a single row may be negative. ``delivery.batches``
    says why there are several.
    """

    batch = models.BigIntegerField()
    status = models.CharField(max_length=11)
    """The status that users see: a message that is ``sending`` counts with its status before."""
    shard = models.IntegerField()
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "status", "shard"], name="batch_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.status} messages of batch {self.batch}"
