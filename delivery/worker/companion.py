"""The supervisor's part in the host's own processes: it starts one when it is needed, and again when it ends."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connection
from django.utils.module_loading import import_string

from delivery import conf
from delivery.backoff import doubled
from delivery.worker.child import start_module

logger = logging.getLogger("delivery")

_ASK_SECONDS = 2.0
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STABLE_SECONDS = 30.0


@dataclass
class Companion:
    """A process of the host, with the module that it runs."""

    module: str
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _start_at: float = 0.0
    _quick_ends: int = 0

    def look(self, now: float) -> None:
        """Start the process if it is down and its pause is over."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self._ended(code, now)
        if self.process is None and now >= self._start_at:
            self.process, self._started = start_module(self.module), now

    def _ended(self, code: int, now: float) -> None:
        logger.warning(
            "A process beside the clusters ended; it is restarted",
            extra={"action": "companion_restarted", "companion": self.module, "exit_code": code},
        )
        self.process = None
        if now - self._started > _STABLE_SECONDS:
            self._quick_ends = 0
        self._start_at = now + doubled(_SHORTEST_PAUSE, self._quick_ends, longest=_LONGEST_PAUSE)
        self._quick_ends += 1


def companions() -> dict[str, Callable[[], bool]]:
    """Return ``DELIVERY["COMPANIONS"]``: module -> whether its process is needed.

    The values are dotted paths of ``() -> bool``.
    """
    return {module: import_string(path) for module, path in conf.companions().items()}


class Companions:
    """The processes of ``COMPANIONS``. A thread asks which are needed: the database may be away."""

    def __init__(self) -> None:
        self._asked = companions()
        self._needed: list[str] = []
        self.running: dict[str, Companion] = {}
        if self._asked:
            threading.Thread(target=self._ask, name="companions", daemon=True).start()

    def look(self, now: float) -> None:
        """Start the processes that are needed. A process that was needed once stays."""
        for module in tuple(self._needed):
            self.running.setdefault(module, Companion(module)).look(now)

    def processes(self) -> list[subprocess.Popen[bytes]]:
        return [one.process for one in self.running.values() if one.process is not None]

    def _ask(self) -> None:
        while open_questions := self._asked.keys() - set(self._needed):
            self._needed += [name for name in open_questions if _is_true(self._asked[name])]
            time.sleep(_ASK_SECONDS)


def _is_true(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (DatabaseError, InterfaceError):
        # The tables may be missing before the first migration.
        return False
    finally:
        connection.close()
