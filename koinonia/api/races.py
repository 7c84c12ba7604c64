"""Errors of the database that another request has caused, as what the client is to hear."""

from __future__ import annotations

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from rest_framework import exceptions

from koinonia.api.errors import ConflictError

_FOREIGN_KEY = "23503"
_LOST_A_RACE = {"40P01", "40001"}
"""PostgreSQL: deadlock_detected, serialization_failure."""
GONE = "What this request changes was deleted meanwhile."
NEEDED = "Something that this request names was deleted meanwhile. Read it again, then decide."
AGAIN = "Another request changed the same at the same moment, and nothing was done. Send it again."
UNSTORABLE = "The request holds a character or a number that cannot be stored."


def lost_race(error: Exception) -> exceptions.APIException | None:
    """Return 404, 409 or 400 for what another request or an odd value did to this one, else None.

    A view reads an item, then writes it; whoever deletes it in between makes the write fail.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, ObjectDoesNotExist) or _wrote_no_row(error):
        return exceptions.NotFound(GONE)
    if isinstance(error, IntegrityError) and (state == _FOREIGN_KEY or "FOREIGN KEY" in str(error)):
        return ConflictError(NEEDED)
    if isinstance(error, OperationalError) and state in _LOST_A_RACE:
        return ConflictError(AGAIN)
    if isinstance(error, DataError | UnicodeEncodeError):
        return exceptions.ParseError(UNSTORABLE)
    return None


def _wrote_no_row(error: Exception) -> bool:
    """Return whether it is ``save(update_fields=…)`` of a row that is gone.

    Django 6 has an exception of its own for it, ``NotUpdated``, a DatabaseError as well.
    """
    return isinstance(error, DatabaseError) and "did not affect any rows" in str(error)
