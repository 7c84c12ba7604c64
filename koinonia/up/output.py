"""What the children say: kept in a log of each, and shown with their name in front."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MEGABYTE = 1024 * 1024
_NAME_WIDTH = 9
_LAST_LINES = 15


class Output:
    """The lines of one child, in its log; while ``shown``, also on the screen."""

    def __init__(self, name: str, log: Path, show: Callable[[str], None]) -> None:
        self._prefix = f"{name:<{_NAME_WIDTH}} │ "
        self._log = RotatingFileHandler(log, maxBytes=5 * _MEGABYTE, backupCount=2, delay=True)
        self._show = show
        self.shown = False
        self.last: deque[str] = deque(maxlen=_LAST_LINES)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Until the child and all that inherited its output have closed it."""
        while line := await _line(stream):
            self.write(line.decode(errors="replace").rstrip())

    def write(self, text: str) -> None:
        self.last.append(text)
        self._log.emit(makeLogRecord({"msg": text}))
        if self.shown:
            self._show(self._prefix + text)

    def close(self) -> None:
        self._log.close()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        # Longer than the buffer, which asyncio has dropped.
        return b"(a line too long to show)\n"
