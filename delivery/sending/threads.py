"""The threads that call the provider. They touch neither the database nor Redis."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.utils import timezone

from delivery.breaker import Permit
from delivery.models import Message, Outcome
from delivery.sending.provider import Provider, SendRequest, Verdict, connect
from delivery.settle import Result

logger = logging.getLogger("delivery")


@dataclass(frozen=True, slots=True)
class Job:
    message: Message
    request: SendRequest
    permit: Permit | None = None
    """Under which the breaker let it go; None where it was not asked."""


class Threads:
    """A fixed number of threads, each with a provider (and so a connection) of its own."""

    def __init__(self, size: int, connect: Callable[[], Provider] = connect) -> None:
        self.size = size
        self.in_flight: dict[int, Job] = {}
        self._connect = connect
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._results: SimpleQueue[Result] = SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"send-{number}", daemon=True).start()

    @property
    def free(self) -> int:
        return self.size - len(self.in_flight)

    def submit(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.in_flight[job.message.pk] = job
            self._jobs.put(job)

    def results(self, timeout: float) -> list[Result]:
        """What has come back, waiting up to ``timeout`` seconds for the first."""
        found: list[Result] = []
        try:
            found.append(self._results.get(timeout=timeout))
            while True:
                found.append(self._results.get_nowait())
        except Empty:
            pass
        for result in found:
            self.in_flight.pop(result.message.pk, None)
        return found

    def _work(self) -> None:
        provider = self._connect()
        while True:
            self._results.put(call(provider, self._jobs.get()))


def call(provider: Provider, job: Job) -> Result:
    """One call. A provider that raises where it must not has left a doubt, and a bug to find."""
    started_at, began = timezone.now(), time.monotonic()
    try:
        verdict = provider.send(job.request)
    except Exception as error:
        logger.exception(
            "The provider class raised", extra={"action": "bug", "message_id": job.message.pk}
        )
        verdict = Verdict(
            outcome=Outcome.AMBIGUOUS, code="bug", title=type(error).__name__, reached=False
        )
    return Result(job.message, verdict, started_at, time.monotonic() - began, permit=job.permit)


_of_process: tuple[int, Threads] | None = None


def of_this_process(size: int) -> Threads:
    """The threads of this process, made at the first use: none survives a fork."""
    global _of_process
    if _of_process is None or _of_process[0] != os.getpid() or _of_process[1].size != size:
        _of_process = (os.getpid(), Threads(size))
    return _of_process[1]
