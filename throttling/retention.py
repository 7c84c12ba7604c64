from __future__ import annotations

from datetime import datetime

from throttling.models import LoginAddress


def prune(now: datetime, dry_run: bool = False) -> int:
    """Forget addresses without a login for 30 days (``KNOWN_ADDRESS_DAYS``); how many."""
    old = LoginAddress.objects.forgotten(now)
    return old.count() if dry_run else old.delete()[0]
