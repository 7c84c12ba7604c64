"""The threads that call the provider. They touch neither the database nor Redis."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from django.utils import timezone

from delivery.models import Message, Outcome, Priority
from delivery.providers.base import Provider, Verdict, connect
from delivery.sending.jobs import Claim, Job, Jobs, claim_of
from delivery.settle import Result

logger = logging.getLogger("delivery")

_WAITING_PER_THREAD = 3
_GATHER_SECONDS = 0.05
"""How long to wait for further results when all the places are taken; a part of it when some are."""


class Threads:
    """A fixed number of threads, each with a provider (and so a connection) of its own.

    Some texts more wait for each, so that none is idle while results are gathered and written down.
    """

    def __init__(self, size: int, connect: Callable[[], Provider] = connect) -> None:
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
        # No slow broadcast stands before a reply.
        return self.size // 8

    @property
    def _places(self) -> int:
        return (1 + _WAITING_PER_THREAD) * self.size

    def room(self, priority: Priority) -> int:
        """How many more texts may be submitted."""
        return max(0, self._places - self._kept_from(priority) - len(self.in_flight))

    def any_free(self, priority: Priority) -> bool:
        """A thread may begin at once with what is submitted now."""
        return len(self.in_flight) < self.size - self._kept_from(priority)

    def _kept_from(self, priority: Priority) -> int:
        return 0 if priority == Priority.REPLY else self._kept_for_replies

    def submit(self, jobs: list[Job]) -> None:
        self.in_flight |= {job.claim: job for job in jobs}
        self._jobs.put(jobs)

    def withdraw(self) -> list[Job]:
        """Take back what no thread has begun."""
        withdrawn = self._jobs.withdraw()
        while not self._held_back.empty():
            withdrawn += self._held_back.get()
        for job in withdrawn:
            self.in_flight.pop(job.claim, None)
        return withdrawn

    def forget(self, messages: Sequence[Message]) -> list[Job]:
        """Claims that were lost: what no thread has begun of them is not to be sent."""
        forgotten = self._jobs.remove({claim_of(message) for message in messages})
        for job in forgotten:
            self.in_flight.pop(job.claim, None)
        return forgotten

    def results(self, timeout: float) -> list[Result]:
        """What has come back, waiting up to ``timeout`` seconds for the first.

        What comes close behind it comes with it: writing down many costs little more than one. The
        more there are in flight, the longer that is worth waiting for.
        """
        found: list[Result] = []
        try:
            found.append(self._results.get(timeout=timeout))
            # Asleep, and not woken by each: this thread and those that call share one interpreter.
            time.sleep(_GATHER_SECONDS * len(self.in_flight) / self._places)
            while True:
                found.append(self._results.get_nowait())
        except Empty:
            pass
        for result in found:
            self.in_flight.pop(claim_of(result.message), None)
        return found

    def _work(self, replies_only: bool) -> None:
        provider = self._connect()
        while True:
            result = call(provider, self._jobs.take(replies_only=replies_only))
            if result.verdict.gives_pause:
                # At once, for this thread would go on with the next.
                self._held_back.put(self._jobs.withdraw())
            self._results.put(result)


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
