"""Many questions of one event loop, answered by few calls in a thread.

Held requests of one stream end together: each for itself would read the same events and judge the same
right, five queries times five hundred. A question that comes while a call runs waits for the next call,
so no question is answered from what was read before it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

from realtime.threads import in_thread

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 250
"""Questions in one call."""


class Batches(Generic[Q, A]):
    """``answer_all`` gets a list of questions and returns their answers in the same order."""

    def __init__(self, answer_all: Callable[[list[Q]], list[A]]) -> None:
        self._answer_all = answer_all
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Return the answer to one question. Raises what the call for its batch raises."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            # A context of its own: it must not keep, or end with, the first request's.
            self._task = asyncio.get_running_loop().create_task(self._work(), context=Context())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._settle(batch)
        finally:
            self._task = None

    async def _settle(self, batch: list[tuple[Q, asyncio.Future[A]]]) -> None:
        # Who was cancelled meanwhile wants no answer.
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
