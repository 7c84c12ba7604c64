"""Isolate a bad row: process a batch in one transaction, or row by row if that fails.

Errors of the database connection are raised: every row would fail in the same way. Log lines leave
out the error's text, because a database error quotes the row, including the phone number.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger("delivery")

T = TypeVar("T")


def all_or_each(
    together: Callable[[], T], each: Callable[[], T], *, message: str, action: str
) -> T:
    """Return what ``together`` returns. If it fails, log ``message`` and return what ``each`` returns."""
    try:
        return together()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a host's receiver may raise anything, because of a single row
        logger.warning(message, extra={"action": action, **_about(error)})
        return each()


def or_skip(
    one: Callable[[], T], skip: Callable[[], T], *, message: str, action: str, **row: int
) -> T:
    """Return what ``one`` returns. If it fails, log an error for ``row`` and return what ``skip`` returns."""
    try:
        return one()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # as above; this is the bad row
        logger.error(message, extra={"action": action, **row, **_about(error)})
        return skip()


def _about(error: Exception) -> dict[str, str]:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return {"error": type(error).__name__, "where": f"{place.name}, line {place.lineno}"}
