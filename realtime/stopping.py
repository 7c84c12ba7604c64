"""The end of a web process, in two steps that the rest of the process can ask for.

1. *Announced*: TERM has come. The process still serves everything, but says that it will end: a load
   balancer sends new requests to others.
2. *Draining*: the server accepts no connection, answers held requests at once, and closes sockets.

``realtime.daphne`` and ``realtime.uvicorn`` take these steps at TERM and INT. Under another server
nothing is announced, and that server's own stop applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

DRAIN_SECONDS = 9.0
"""A process that still drains after so long ends without the rest, so that it ends within 10 s."""
IDLE_SECONDS = 0.5
"""An idle connection is closed so long after the drain began, because a proxy may be sending on it."""

_announced = False
_draining = False
_waiting: set[Callable[[], None]] = set()


def announce() -> None:
    global _announced
    _announced = True


def begin_to_drain() -> None:
    """Begin the second step, on the event loop: wake all requests that are held."""
    global _draining
    announce()
    _draining = True
    for wake in tuple(_waiting):
        wake()


def is_announced() -> bool:
    return _announced


def is_draining() -> bool:
    return _draining


@contextmanager
def waking(wake: Callable[[], None]) -> Iterator[None]:
    """Call ``wake`` when the drain begins, if it begins within the block."""
    _waiting.add(wake)
    try:
        yield
    finally:
        _waiting.discard(wake)
