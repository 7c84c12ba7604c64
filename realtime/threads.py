"""Database calls from the event loop, in a thread pool of this app.

Django has one thread for all synchronous code of a process: a slow query in that thread blocks
every socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections, connections

from realtime.event_loop import detached_task

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

MAX_BATCH = 250
"""Questions in one call of :class:`Batches`."""

_executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="realtime-db")


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Start ``function`` in a thread at once, and return a future of its result."""

    def call() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    # The same as sync_to_async(thread_sensitive=False), at a third of the cost.
    return asyncio.get_running_loop().run_in_executor(_executor, copy_context().run, call)


async def end_thread_of_request() -> None:
    """End the thread that Django's ASGI handler keeps for this request, and its connections.

    A held request would keep both until its end. Django starts a new thread when it needs one.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.get(context) if context else None
    # The host ends an executor that the host has put into the context.
    if context is None or executor is None or getattr(context, "_executor", None) is not None:
        return
    await sync_to_async(connections.close_all)()
    del SyncToAsync.context_to_thread_executor[context]
    executor.shutdown(wait=False)


class Batches(Generic[Q, A]):
    """Answers the questions of one event loop in batches: one call in a thread for many questions.

    ``answer_all`` takes a list of questions and returns the answers in the same order. A new event
    ends all held requests of its stream together; alone, each request would read the same events
    and check the same access. A question that arrives during a call waits for the next call, so an
    answer never rests on data that was read before its question.
    """

    def __init__(self, answer_all: Callable[[list[Q]], list[A]]) -> None:
        self._answer_all = answer_all
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Return the answer to one question. Raise the error of the call for its batch."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = detached_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: list[tuple[Q, asyncio.Future[A]]]) -> None:
        # A cancelled request needs no answer.
        wanted = [(question, future) for question, future in batch if not future.done()]
        try:
            answers = await in_thread(self._answer_all, [question for question, _ in wanted])
        except Exception as error:
            for _, future in wanted:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(wanted, answers, strict=True):
            if not future.done():
                future.set_result(answer)
