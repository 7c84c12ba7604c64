"""Pools of threads for requests, and work that ends when the client disconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted

from koinonia.http.scopes import Receive

_T = TypeVar("_T")


class RequestPool(ThreadPoolExecutor):
    """Threads that know whether one of them is free."""

    def __init__(self, threads: int, name: str) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self._free = threads
        self._lock = Lock()
        # asgiref needs a third of the time of a call to build this object, so build it once.
        self._call = sync_to_async(_call, thread_sensitive=False, executor=self)

    @property
    def is_busy(self) -> bool:
        """Return whether another call would wait for a thread."""
        return self._free <= 0

    async def run(self, work: Callable[..., _T], *given: Any) -> _T:
        """Run ``work`` in a thread. A call that is cancelled before it has a thread never runs."""
        result: _T = await self._call(work, *given)
        return result

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(*args, **kwargs)
        self._count(-1)
        future.add_done_callback(lambda _: self._count(1))
        return future

    def _count(self, change: int) -> None:
        with self._lock:
            self._free += change


def _call(work: Callable[..., _T], *given: Any) -> _T:
    return work(*given)


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of ``work``. Cancel it if the client disconnects, and raise RequestAborted."""
    task = asyncio.ensure_future(work)
    listener = asyncio.ensure_future(_disconnection(receive))
    try:
        await asyncio.wait((task, listener), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise RequestAborted
    finally:
        for one in (task, listener):
            one.cancel()
        await asyncio.gather(task, listener, return_exceptions=True)


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
