"""Locks that do not wait: for a transaction that needs rows out of the general order (decision 106)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

_LOCK_NOT_AVAILABLE = "55P03"


class RowsTakenError(OperationalError):
    """Another transaction has locked one of the rows. The API answers 409, and a page says it."""


@contextmanager
def without_waiting() -> Iterator[None]:
    """Raise RowsTakenError if ``select_for_update(nowait=True)`` finds a locked row.

    A lock timeout has the same code in PostgreSQL, and means a busy database elsewhere.
    """
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise RowsTakenError(str(error)) from error
        raise
