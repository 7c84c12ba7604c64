"""Sending without a task: a coroutine runs up to its first wait, and mostly there is none.

A task that wakes for each frame costs as much as the sending. An ASGI server takes a frame at once
(daphne always, uvicorn while its buffer has room); only what does not finish becomes a task, so that
a fan-out never waits for a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any


class Rest(Awaitable[None]):
    """What is left of an awaitable that has begun: to be awaited once, by a task."""

    def __init__(self, steps: Generator[Any, Any, Any], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    yield waits_for
                except BaseException as error:  # a cancellation, which belongs within
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = next(self._steps)
            except StopIteration:
                return


def begin(awaitable: Awaitable[None]) -> Rest | None:
    """Run it now. None when that was all; else the rest of it. Raises what it raises.

    It must not ask for its task before its first wait: there is none of its own yet.
    """
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    return Rest(steps, waits_for)
