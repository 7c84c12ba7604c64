"""Counts of the messages of a batch by status, without reading the messages.

Triggers count each change of a message in the transaction of the change, so the counts are exact, also
beside a release that does not know them. On PostgreSQL each backend writes rows of its own (the shard is
its process id), so that two transactions never wait for each other; ``fold`` adds the shards up. A
statement that changes no visible status (a claim, a renewed lease) writes nothing. The counts stay when
retention deletes messages.

The keys of batches must be unique over all tenants.
"""

from __future__ import annotations

from delivery.batches.counts import counts_of, finished
from delivery.batches.upkeep import fold, forget, kept, remember_deleted

__all__ = ["counts_of", "finished", "fold", "forget", "kept", "remember_deleted"]
