"""After a restore: the log has gone back, and what clients remember of it is wrong."""

from __future__ import annotations

from django.db import transaction

from realtime.models import Stream, new_epoch


def begin_epochs() -> int:
    """Give each stream a new epoch, so that clients are told to ``reset``; how many there are."""
    with transaction.atomic():
        streams = list(Stream.objects.select_for_update().order_by("key"))
        for stream in streams:
            stream.epoch = new_epoch()
        Stream.objects.bulk_update(streams, ["epoch"], batch_size=500)
    return len(streams)
