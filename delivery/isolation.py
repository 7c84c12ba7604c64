"""Isolate a bad row: process a batch in one transaction, or row by row if that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger("delivery")

T = TypeVar("T")


def all_or_each(
    together: Callable[[], T], each: Callable[[], T], *, message: str, action: str
) -> T:
    """Return what ``together`` returns. If it fails, log ``message`` and return what ``each`` returns.

    Errors of the database connection are raised: the rows would fail in the same way.
    """
    try:
        return together()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a host's receiver may raise anything, because of a single row
        # Leave out the error's text: a database error quotes the row, including the phone number.
        logger.warning(message, extra={"action": action, "error": type(error).__name__})
        return each()


def or_skip(
    one: Callable[[], T],
    skip: Callable[[], T],
    *,
    message: str,
    action: str,
    message_id: int | None = None,
) -> T:
    """Return what ``one`` returns. If it fails, log an error for the row and return what ``skip`` returns.

    Errors of the database connection are raised.
    """
    try:
        return one()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # as above; this is the row
        about = {} if message_id is None else {"message_id": message_id}
        logger.error(message, extra={"action": action, **about, "error": type(error).__name__})
        return skip()
