"""The counters of changes by tenant and collection. Only triggers write them."""

from __future__ import annotations

from django.db import models


class Counter(models.Model):
    """A shard of the counter of one collection; the sum over all shards is the version.

    The tenant is not a foreign key, because a trigger may write a row while the tenant is being
    deleted. The row of tenant 0 and collection ``""`` is the epoch of the whole database.
    """

    pk = models.CompositePrimaryKey("tenant", "collection", "shard")
    tenant = models.BigIntegerField()
    collection = models.CharField(max_length=50)
    shard = models.BigIntegerField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.collection} of {self.tenant}, shard {self.shard}: {self.value}"
