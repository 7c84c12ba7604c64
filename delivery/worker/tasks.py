"""What the django-q2 worker runs."""

from __future__ import annotations

import logging
import os
import time
import traceback
from multiprocessing.util import Finalize

from django.db import connections

from delivery.sending import drain as sending
from delivery.worker import stopping, unfinished

logger = logging.getLogger("delivery")

_AFTER_AN_ERROR_SECONDS = 0.5


def drain() -> None:
    """One drain. An error is logged and forgotten: the rows are still there."""
    _land_at_the_end()
    try:
        sending.drain(stopping.requested)
    except Exception as error:
        # Without its text: a database error quotes the row, a phone number with it.
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[-3:])
        logger.error(
            "A drain failed: %s\n%s",
            type(error).__name__,
            "".join(frames),
            extra={"action": "drain_failed"},
        )
        connections.close_all()
        time.sleep(_AFTER_AN_ERROR_SECONDS)
    finally:
        unfinished.tell(sending.unfinished())


_landing_in = 0


def _land_at_the_end() -> None:
    """django-q2 replaces its worker now and then, between two drains."""
    global _landing_in
    if _landing_in != os.getpid():
        _landing_in = os.getpid()
        Finalize(None, _land, exitpriority=100)


def _land() -> None:
    try:
        sending.finish_in_flight()
    finally:
        unfinished.tell(False)
