"""Claimed messages that wait for a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from delivery.limits.breaker import Permit
from delivery.models import Message, Priority
from delivery.providers.base import OutboundText
from delivery.references import callback_url, reference

_LARGEST_SPAN = 2**64 - 1

Claim = tuple[UUID | None, int]
"""(lease token, message id). The same message can appear under two tokens if a lease expired."""


def claim_of(message: Message) -> Claim:
    return message.lease_token, message.pk


def outbound_text(message: Message) -> OutboundText:
    """Return the text to hand over: equal for each attempt of one generation."""
    # The key contains the time of creation: a new database counts its ids from 1 again.
    born = int(message.created_at.timestamp() * 1000)
    return OutboundText(
        message_id=message.pk,
        generation=message.generation,
        idempotency_key=f"m:{message.pk}:{message.generation}:{born:x}",
        reference=reference(message.pk),
        from_number=message.from_number,
        to_number=message.to_number,
        text=message.text,
        media_urls=tuple(message.media_urls),
        callback_url=callback_url(message),
        created_at=message.created_at,
        expires_at=message.expires_at,
        traceparent=_traceparent(message),
    )


def _traceparent(message: Message) -> str:
    """Return the header of a call; its span is the message, so that all attempts have the same bytes."""
    if message.trace is None:
        return ""
    return f"00-{message.trace.hex}-{message.pk & _LARGEST_SPAN:016x}-01"


@dataclass(frozen=True, slots=True)
class Job:
    message: Message
    text: OutboundText
    permit: Permit | None = None
    """The breaker's permit for this call; None where the breaker was not asked."""

    @property
    def claim(self) -> Claim:
        return claim_of(self.message)

    @property
    def provider(self) -> str:
        return self.message.provider


class Jobs:
    """Two queues, replies before bulk. Threads that take only replies are never all busy with bulk."""

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
        """Return the next job; wait until there is one."""
        if replies_only:
            with self._for_replies:
                self._for_replies.wait_for(lambda: self._replies)
                return self._replies.popleft()
        with self._for_all:
            self._for_all.wait_for(lambda: self._replies or self._bulk)
            return (self._replies or self._bulk).popleft()

    def withdraw(self, providers: Container[str]) -> list[Job]:
        """Take back the jobs of these provider accounts that no thread has taken yet."""
        return self._remove(lambda job: job.provider in providers)

    def withdraw_tenants(self, tenants: Container[Any]) -> list[Job]:
        """Take back the jobs of these tenants that no thread has taken yet."""
        return self._remove(lambda job: job.message.tenant_id in tenants)

    def withdraw_all(self) -> list[Job]:
        """Take back the jobs that no thread has taken yet."""
        return self._remove(lambda job: True)

    def remove(self, claims: Container[Claim]) -> list[Job]:
        """Take back the jobs of ``claims`` that no thread has taken yet."""
        return self._remove(lambda job: job.claim in claims)

    def _remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        with self._for_all:
            found = [job for job in (*self._replies, *self._bulk) if unwanted(job)]
            if found:
                for jobs in (self._replies, self._bulk):
                    kept = [job for job in jobs if not unwanted(job)]
                    jobs.clear()
                    jobs.extend(kept)
            return found
