"""Errors that mean that the database is away, for the whole app.

An outage fails each reader of each stream again and again. The host is told by a signal, and may log
an outage once; without a host that listens, the log gets a line a minute.
"""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError

from realtime.signals import database_failed

logger = logging.getLogger(__name__)

ERRORS = (OperationalError, InterfaceError)
_REPORT_SECONDS = 60.0
_reported_at = float("-inf")


def note(error: BaseException) -> bool:
    """Return whether ``error`` means that the database is away, and tell the host."""
    if not isinstance(error, ERRORS):
        return False
    if not database_failed.send_robust(sender=None, error=error):
        _log(error, time.monotonic())
    return True


def _log(error: BaseException, now: float) -> None:
    global _reported_at
    if now - _reported_at >= _REPORT_SECONDS:
        _reported_at = now
        extra = {"action": "database_away", "error": type(error).__name__}
        logger.warning("The database is away: events wait", extra=extra)
