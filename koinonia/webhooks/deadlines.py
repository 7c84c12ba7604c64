"""Cut connections at a total time: a socket's own timeout begins again with each byte that arrives."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

_LOOK_SECONDS = 0.2


@dataclass(slots=True)
class _Call:
    until: float
    line: socket.socket | None = None
    is_cut: bool = False


class Deadlines:
    """A thread that watches the calls of all other threads. Each thread has at most one call."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._lock = threading.Lock()
        self._any = threading.Event()
        threading.Thread(target=self._watch, name="webhook-deadlines", daemon=True).start()

    def begin(self, seconds: float) -> None:
        """Begin a call of this thread."""
        with self._lock:
            self._calls[threading.get_ident()] = _Call(time.monotonic() + seconds)
        self._any.set()

    def follow(self, line: socket.socket) -> None:
        """Take the connection of this thread's call, to shut it down when the time is over."""
        with self._lock:
            if call := self._calls.get(threading.get_ident()):
                call.line = line

    def end(self) -> bool:
        """End the call of this thread; return whether it was cut."""
        with self._lock:
            return self._calls.pop(threading.get_ident()).is_cut

    def _watch(self) -> None:
        while self._any.wait():
            with self._lock:
                now = time.monotonic()
                for call in self._calls.values():
                    if call.line is not None and now > call.until:
                        call.is_cut = True
                        with suppress(OSError):  # The connection has just ended.
                            call.line.shutdown(socket.SHUT_RDWR)
                if not self._calls:
                    self._any.clear()
            time.sleep(_LOOK_SECONDS)
