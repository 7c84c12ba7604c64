"""The threads that call the providers. Threads do not use the database or Redis."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from django.utils import timezone

from delivery.models import Message, Outcome, Priority
from delivery.process import PerProcess
from delivery.providers import registry
from delivery.providers.base import Provider, SendOutcome
from delivery.sending.jobs import Claim, Job, Jobs, claim_of
from delivery.settle import Result

logger = logging.getLogger("delivery")

_WAITING_PER_THREAD = 3
_GATHER_SECONDS = 0.05
"""The wait for further results when the queue is full; it is shorter when fewer jobs are queued."""


class Threads:
    """A fixed number of threads, each with an instance (and so a connection) per provider account.

    A few jobs more wait for each thread, so that no thread is idle while results are written.
    """

    def __init__(self, size: int, connect: Callable[[str], Provider] = registry.connect) -> None:
        self.size = size
        self.in_flight: dict[Claim, Job] = {}
        self._connect = connect
        self._jobs = Jobs()
        self._held_back: SimpleQueue[list[Job]] = SimpleQueue()
        self._results: SimpleQueue[Result] = SimpleQueue()
        for number in range(size):
            replies_only = number < self._kept_for_replies
            threading.Thread(
                target=self._work, args=[replies_only], name=f"send-{number}", daemon=True
            ).start()

    @property
    def _kept_for_replies(self) -> int:
        # A slow broadcast must not delay replies.
        return self.size // 8

    @property
    def _places(self) -> int:
        return (1 + _WAITING_PER_THREAD) * self.size

    def room(self, priority: Priority) -> int:
        """Return how many more jobs may be submitted."""
        return max(0, self._places - self._kept_from(priority) - len(self.in_flight))

    def any_free(self, priority: Priority) -> bool:
        """Return whether a thread would begin at once with a job that is submitted now."""
        return len(self.in_flight) < self.size - self._kept_from(priority)

    def _kept_from(self, priority: Priority) -> int:
        return 0 if priority == Priority.REPLY else self._kept_for_replies

    def submit(self, jobs: list[Job]) -> None:
        self.in_flight |= {job.claim: job for job in jobs}
        self._jobs.put(jobs)

    def withdraw(self, providers: Container[str]) -> list[Job]:
        """Take back the jobs of these provider accounts that no thread has begun."""
        return self._withdrawn(self._jobs.withdraw(providers))

    def withdraw_tenants(self, tenants: Container[Any]) -> list[Job]:
        """Take back the jobs of these tenants that no thread has begun."""
        return self._withdrawn(self._jobs.withdraw_tenants(tenants))

    def withdraw_all(self) -> list[Job]:
        """Take back the jobs that no thread has begun."""
        return self._withdrawn(self._jobs.withdraw_all())

    def _withdrawn(self, jobs: list[Job]) -> list[Job]:
        while not self._held_back.empty():
            jobs += self._held_back.get()
        for job in jobs:
            self.in_flight.pop(job.claim, None)
        return jobs

    def forget(self, messages: Sequence[Message]) -> list[Job]:
        """Take back the jobs of lost claims that no thread has begun: they must not be sent."""
        forgotten = self._jobs.remove({claim_of(message) for message in messages})
        for job in forgotten:
            self.in_flight.pop(job.claim, None)
        return forgotten

    def results(self, timeout: float) -> list[Result]:
        """Return the results so far, waiting up to ``timeout`` seconds for the first.

        Results that follow closely come with it: writing many costs little more than writing one.
        The more jobs are in flight, the longer that wait pays.
        """
        found: list[Result] = []
        try:
            found.append(self._results.get(timeout=timeout))
            # Sleep, and do not wake for each result: all threads share one interpreter.
            time.sleep(_GATHER_SECONDS * len(self.in_flight) / self._places)
            while True:
                found.append(self._results.get_nowait())
        except Empty:
            pass
        for result in found:
            self.in_flight.pop(claim_of(result.message), None)
        return found

    def _work(self, replies_only: bool) -> None:
        providers: dict[str, Provider] = {}
        while True:
            job = self._jobs.take(replies_only=replies_only)
            result = self._call(providers, job)
            if result.outcome.gives_pause:
                # Withdraw at once: the threads would continue with the next jobs.
                self._held_back.put(self._jobs.withdraw({job.provider}))
            self._results.put(result)

    def _call(self, providers: dict[str, Provider], job: Job) -> Result:
        try:
            if job.provider not in providers:
                providers[job.provider] = self._connect(job.provider)
        except Exception as error:
            logger.exception(
                "A provider cannot be created", extra={"action": "bug", "provider": job.provider}
            )
            return _not_called(job, error)
        return call(providers[job.provider], job)


def call(provider: Provider, job: Job) -> Result:
    """Make one call. A provider that raises has a bug, and leaves it unknown whether it sent."""
    started_at, began = timezone.now(), time.monotonic()
    try:
        outcome = provider.send(job.text)
    except Exception as error:
        logger.exception(
            "The provider class raised",
            extra={"action": "bug", "provider": job.provider, "message_id": job.message.pk},
        )
        outcome = SendOutcome(
            kind=Outcome.AMBIGUOUS, code="bug", title=type(error).__name__, reached=False
        )
    return Result(job.message, outcome, started_at, time.monotonic() - began, permit=job.permit)


def _not_called(job: Job, error: Exception) -> Result:
    outcome = SendOutcome(
        kind=Outcome.RETRYABLE, code="bug", title=type(error).__name__, reached=False
    )
    return Result(job.message, outcome, timezone.now(), 0.0, permit=job.permit)


_by_size = PerProcess(dict[int, Threads])


def of_this_process(size: int) -> Threads:
    """Return the threads of this process; make them on first use."""
    made = _by_size.get()
    if size not in made:
        made[size] = Threads(size)
    return made[size]
