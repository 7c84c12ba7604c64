"""What waits for a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass
from uuid import UUID

from delivery.limits.breaker import Permit
from delivery.models import Message, Priority
from delivery.providers.base import SendRequest

Claim = tuple[UUID | None, int]
"""One claim of one row: a worker may hold, besides it, an earlier one that it has lost."""


def claim_of(message: Message) -> Claim:
    return message.lease_token, message.pk


@dataclass(frozen=True, slots=True)
class Job:
    message: Message
    request: SendRequest
    permit: Permit | None = None
    """Under which the breaker let it go; None where it was not asked."""

    @property
    def claim(self) -> Claim:
        return claim_of(self.message)


class Jobs:
    """Replies before bulk. Threads that take replies only are never all busy with bulk."""

    def __init__(self) -> None:
        self._replies: deque[Job] = deque()
        self._bulk: deque[Job] = deque()
        lock = threading.Lock()
        self._for_all = threading.Condition(lock)
        self._for_replies = threading.Condition(lock)

    def put(self, jobs: Sequence[Job]) -> None:
        replies = [job for job in jobs if job.message.priority == Priority.REPLY]
        bulk = [job for job in jobs if job.message.priority != Priority.REPLY]
        with self._for_all:
            self._replies.extend(replies)
            self._bulk.extend(bulk)
            self._for_all.notify(len(jobs))
            self._for_replies.notify(len(replies))

    def take(self, *, replies_only: bool = False) -> Job:
        """The next one; waits until there is one."""
        if replies_only:
            with self._for_replies:
                self._for_replies.wait_for(lambda: self._replies)
                return self._replies.popleft()
        with self._for_all:
            self._for_all.wait_for(lambda: self._replies or self._bulk)
            return (self._replies or self._bulk).popleft()

    def withdraw(self) -> list[Job]:
        """All that no thread has taken yet."""
        with self._for_all:
            found = [*self._replies, *self._bulk]
            self._replies.clear()
            self._bulk.clear()
            return found

    def remove(self, claims: Container[Claim]) -> list[Job]:
        """Those of ``claims`` that no thread has taken yet."""
        with self._for_all:
            found = [job for job in (*self._replies, *self._bulk) if job.claim in claims]
            for jobs in (self._replies, self._bulk):
                kept = [job for job in jobs if job.claim not in claims]
                jobs.clear()
                jobs.extend(kept)
            return found
