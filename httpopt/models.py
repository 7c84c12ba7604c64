"""How often each collection of each tenant has changed. Written by triggers alone."""

from __future__ import annotations

from django.db import models


class Counter(models.Model):
    """One shard of the counter of one collection. Only the sum over shards means anything.

    No foreign key to the tenant: a trigger may write one while the tenant is being deleted. The row
    of tenant 0, collection ``""`` is the epoch of the whole database.
    """

    pk = models.CompositePrimaryKey("tenant", "collection", "shard")
    tenant = models.BigIntegerField()
    collection = models.CharField(max_length=50)
    shard = models.BigIntegerField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.collection} of {self.tenant}, shard {self.shard}: {self.value}"
