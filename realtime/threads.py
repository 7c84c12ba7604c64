"""The database from the event loop, in threads of our own.

Django's one thread for synchronous code is everybody's: a slow query there would hold up every
socket of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")

_executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="realtime-db")


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """What ``function`` returns, to be awaited; it begins at once."""

    def call() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    # What sync_to_async does for a thread that nothing is bound to, at a third of its cost.
    return asyncio.get_running_loop().run_in_executor(_executor, copy_context().run, call)


async def end_thread_of_request() -> None:
    """End the thread that Django's ASGI handler keeps for this request, with its connections.

    A request that is held would keep both for as long. Django makes a new thread when it needs one.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.get(context) if context else None
    # An executor that the host has given to the context is the host's to end.
    if context is None or executor is None or getattr(context, "_executor", None) is not None:
        return
    await sync_to_async(connections.close_all)()
    del SyncToAsync.context_to_thread_executor[context]
    executor.shutdown(wait=False)
