"""The supervisor's part in the work of the night: it starts a process for it, once a night."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from delivery import nightly
from delivery.worker.child import start_module

logger = logging.getLogger("delivery")

FIRST_LOOK = timedelta(minutes=5)
"""After its start the supervisor lets the process look whether a night was missed."""
AGAIN = timedelta(minutes=20)
"""The pause after a failure, or while another worker does the work; longer than its lease."""


def _start() -> subprocess.Popen[bytes]:
    return start_module("delivery.worker.nightly")


@dataclass
class Night:
    """Starts the process when its time has come, and again after a failure."""

    start: Callable[[], subprocess.Popen[bytes]] = _start
    process: subprocess.Popen[bytes] | None = None
    _next: datetime | None = field(default=None)

    def look(self, now: datetime) -> None:
        """Start the process if it is time. It does nothing if the night's work is done."""
        if self._next is None:
            self._next = now + FIRST_LOOK
        if self.process is not None and (code := self.process.poll()) is not None:
            self._ended(code, now)
        if self.process is None and now >= self._next and nightly.last_begin(now) is not None:
            self.process = self.start()

    def _ended(self, code: int, now: datetime) -> None:
        self.process = None
        if code == 0:
            self._next = nightly.next_begin(now) or now + AGAIN
            return
        self._next = now + AGAIN
        if code != nightly.EXIT_BUSY:
            logger.warning(
                "The work of the night ended early; it begins again later",
                extra={"action": "nightly_failed", "exit_code": code},
            )
