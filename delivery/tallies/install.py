"""The triggers of the tallies, and the recount that makes them exact."""

from __future__ import annotations

from django.utils import timezone

from delivery.kept_counts import KeptCounts
from delivery.models import Tally
from delivery.tallies.recount import recount
from delivery.tallies.triggers import PREFIX, declared

kept = KeptCounts(
    prefix=PREFIX,
    model=Tally,
    triggers=declared,
    mark={"tenant": None, "quarter": -1, "shard": -1},
    recount=lambda using: recount(timezone.now(), using=using),
)
