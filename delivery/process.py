"""This process: its name as a worker, and objects that it must not share with a forked child."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """An object that each process makes separately, on first use.

    A forked child inherits its parent's memory, but must not use its sockets, and has none of its
    threads.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None

    def get(self) -> T:
        pid = os.getpid()
        if self._made is None or self._made[0] != pid:
            self._made = (pid, self._make())
        return self._made[1]


def worker_name() -> str:
    """Return the name under which this process counts as one worker: for the breaker and the pace.

    The supervisor names its clusters, so that a restarted cluster counts as the same worker.
    """
    return os.environ.get("DELIVERY_WORKER") or f"{socket.gethostname()}:{os.getpid()}"
