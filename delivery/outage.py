"""An outage of the database in the log: a line at its begin, one a minute, and one at its end."""

from __future__ import annotations

import logging
from threading import Lock

logger = logging.getLogger("delivery")

_REPORT_SECONDS = 60.0


class Outage:
    """Counts the failures of one part of a process; ``meaning`` says what the outage means for it."""

    def __init__(self, meaning: str = "") -> None:
        self._meaning = f": {meaning}" if meaning else ""
        self._lock = Lock()
        self._failures = 0
        self._began = self._reported = 0.0

    def failed(self, error: BaseException, now: float) -> None:
        """Count a failure, and log the first one and one a minute."""
        with self._lock:
            self._failures += 1
            if self._failures == 1:
                self._began = now
            elif now - self._reported < _REPORT_SECONDS:
                return
            self._reported = now
            action = "database_away" if self._failures == 1 else "database_still_away"
            text = f"The database is unreachable{self._meaning}"
            self._log(text, action, now, error=type(error).__name__)

    def ended(self, now: float) -> None:
        """Log the end of an outage, if there was one."""
        if not self._failures:
            return
        with self._lock:
            if self._failures:
                self._log(f"The database answers again{self._meaning}", "database_back", now)
                self._failures = 0

    def _log(self, text: str, action: str, now: float, **more: str) -> None:
        seconds = round(now - self._began, 1)
        extra = {"action": action, "failures": self._failures, "seconds": seconds, **more}
        logger.warning(text, extra=extra)
