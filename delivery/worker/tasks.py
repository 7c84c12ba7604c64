"""What the django-q2 worker runs."""

from __future__ import annotations

import logging
import time
import traceback

from django.db import connections

from delivery.sending.drain import drain as run
from delivery.worker import stopping

logger = logging.getLogger("delivery")

_AFTER_AN_ERROR_SECONDS = 0.5


def drain() -> None:
    """One drain. An error is logged and forgotten: the rows are still there."""
    try:
        run(stopping.requested)
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
