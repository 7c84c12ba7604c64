from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from delivery.providers.base import SendOutcome
from delivery.sending.jobs import Job
from delivery.sending.threads import Threads
from delivery.settle import Result


class HeldThreads(Threads):
    """Calls that stay in flight until the test gives their outcome."""

    def __init__(self, clock: Callable[[], datetime], size: int = 8) -> None:
        super().__init__(0)
        self.size = size
        self._clock = clock
        self._finished: list[Result] = []

    def submit(self, jobs: Sequence[Job]) -> None:
        self.in_flight |= {job.claim: job for job in jobs}

    @property
    def in_flight_by_id(self) -> dict[int, Job]:
        """Return the jobs by message id."""
        return {job.message.pk: job for job in self.in_flight.values()}

    def finish(self, message_id: int, outcome: SendOutcome) -> None:
        job = self.in_flight.pop(self.in_flight_by_id[message_id].claim)
        self._finished.append(Result(job.message, outcome, self._clock(), 0.0, permit=job.permit))

    def results(self, timeout: float) -> list[Result]:
        finished, self._finished = self._finished, []
        return finished
