"""Change a table of PostgreSQL without stopping the others that use it.

A change needs the whole table for a moment. While it waits for a long transaction, everyone else
would queue behind it. It therefore gives up after a short wait, lets the queue pass, and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_TIMEOUT_MS = 200
"""How long others wait behind a change that waits."""
PAUSE_SECONDS = 1.0
TRIES = 500
"""About ten minutes: the longest report that a change outlasts."""
_LOCK_NOT_AVAILABLE = "55P03"


def briefly(connection: BaseDatabaseWrapper, change: Callable[[], object]) -> None:
    """Make a change in a transaction of its own; repeat it while a lock is not free."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic(using=connection.alias):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
                change()
            return
        except OperationalError as error:
            if not left or getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            time.sleep(PAUSE_SECONDS)
