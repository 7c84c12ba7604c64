"""Work on the event loop: one object per loop, background tasks, restarts, sends without a task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from realtime import outage

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_RESTART_SECONDS = 0.5
_MAX_RESTART_SECONDS = 8.0
_background_tasks: set[asyncio.Task[Any]] = set()
"""The event loop keeps only weak references to tasks; this set keeps them alive."""


class PerLoop(Generic[T]):
    """Holds one object for each event loop; ``factory`` makes the object on first use."""

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._objects: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def current(self) -> T:
        """Return the object of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._objects:
            self._objects[loop] = self._factory()
        return self._objects[loop]


def detached_task(work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
    """Start a task that outlives the request that starts it.

    An empty context keeps the request's context variables, and its thread, out of the task.
    """
    return asyncio.get_running_loop().create_task(work, name=name, context=Context())


def run_in_background(work: Coroutine[Any, Any, Any]) -> None:
    """Start a detached task without awaiting it."""
    task = detached_task(work)
    _background_tasks.add(task)
    task.add_done_callback(_background_tasks.discard)


async def run_supervised(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` until cancelled; restart it with exponential backoff after an error."""
    delay = _FIRST_RESTART_SECONDS
    while True:
        try:
            await work()
            delay = _FIRST_RESTART_SECONDS
        except Exception as error:
            if not outage.note(error):
                name = getattr(work, "__qualname__", repr(work))
                extra = {"action": "task_restarted", "error": type(error).__name__}
                logger.warning("%s failed; restarting", name, extra=extra)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _MAX_RESTART_SECONDS)


class Remainder(Awaitable[None]):
    """The remaining steps of an awaitable that has run to its first wait. A task awaits them once."""

    def __init__(self, steps: Generator[Any, Any, Any], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    yield waits_for
                except BaseException as error:  # a cancellation: the awaitable handles it
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = next(self._steps)
            except StopIteration:
                return


def run_to_first_wait(awaitable: Awaitable[None]) -> Remainder | None:
    """Run an awaitable without a task. Return None if it finishes, else its remainder.

    A task per frame costs as much CPU as sending the frame (docs/decisions/0035). The awaitable
    must not ask for its current task before its first wait, because it has none.
    """
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    return Remainder(steps, waits_for)
