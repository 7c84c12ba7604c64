"""The last resort at the end of a process: it ends, whatever hangs."""

from __future__ import annotations

import logging
import os
import threading

logger = logging.getLogger(__name__)


def end_now(code: int) -> None:
    """End this process without waiting for its threads."""
    os._exit(code)


def end_after(seconds: float) -> None:
    """End this process after ``seconds``, even if its event loop or a thread hangs."""
    timer = threading.Timer(seconds, _end_with_work_left, [seconds])
    timer.daemon = True
    timer.start()


def _end_with_work_left(seconds: float) -> None:
    # TERM asked for this end, so it is no failure: clients repeat what they got no answer to.
    extra = {"action": "requests_cut_off", "seconds": seconds}
    logger.warning("Requests were cut off: they ran on for %g s after TERM", seconds, extra=extra)
    end_now(0)
