"""Errors that the API adds to DRF's, and the database errors behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, transaction
from rest_framework import exceptions

from koinonia.database.locks import RowsTakenError
from koinonia.database.outage import RETRY_AFTER_SECONDS

GONE = "The object that this request changes has just been deleted."
NEEDED = (
    "An object that this request names has just been deleted. Read the data again, then decide."
)
AGAIN = "Another request changed the same data at the same time. Nothing was done: send it again."
AWAY = "The database does not answer at the moment. Send the request again in a few seconds."
UNSTORABLE = "The request holds a character or a number that cannot be stored."
_FOREIGN_KEY = "23503"
_DEADLOCK_OR_SERIALIZATION = {"40P01", "40001"}
"""PostgreSQL: deadlock_detected, serialization_failure."""


class ConflictError(exceptions.APIException):
    status_code = HTTPStatus.CONFLICT
    default_detail = "The request conflicts with the current state."


class UnprocessableError(exceptions.APIException):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = "The server understands the request, but cannot act on it."


class TooLargeError(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body of the request is too large."


class DatabaseAwayError(exceptions.APIException):
    """503: the database cannot be reached or takes no writes."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = AWAY
    wait = RETRY_AFTER_SECONDS


@contextmanager
def taken_as_error(**sentences: str) -> Iterator[None]:
    """Turn a violated unique constraint into an error of the named fields. All or nothing.

    A query before the write would leave a race between two requests.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        errors = {name: [sentence] for name, sentence in sentences.items()}
        raise exceptions.ValidationError(errors) from error


def lost_race(error: Exception) -> exceptions.APIException | None:
    """Return 404, 409 or 400 for an error that another request or an odd value caused, else None.

    A view reads an item and then writes it. A deletion in between makes the write fail.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, ObjectDoesNotExist) or _updated_no_row(error):
        return exceptions.NotFound(GONE)
    if isinstance(error, IntegrityError) and (state == _FOREIGN_KEY or "FOREIGN KEY" in str(error)):
        return ConflictError(NEEDED)
    is_deadlock = isinstance(error, OperationalError) and state in _DEADLOCK_OR_SERIALIZATION
    if is_deadlock or isinstance(error, RowsTakenError):
        return ConflictError(AGAIN)
    if isinstance(error, DataError | UnicodeEncodeError):
        return exceptions.ParseError(UNSTORABLE)
    return None


def _updated_no_row(error: Exception) -> bool:
    """Return whether ``save(update_fields=…)`` found no row.

    Django 6 raises ``NotUpdated``, a subclass of DatabaseError.
    """
    return isinstance(error, DatabaseError) and "did not affect any rows" in str(error)
