"""The status changes of an outbound message. All code that changes a status calls these methods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from delivery.statuses import Status

TRANSITION_FIELDS = (
    "status",
    "next_attempt_at",
    "lease_until",
    "lease_token",
    "call_started_at",
    "attempts",
    "calls",
    "claims",
    "ambiguous",
    "provider_id",
    "parts",
    "encoding",
    "error_code",
    "error_title",
    "error_class",
    "dead_since",
    "updated_at",
)
"""Every field that a transition may set; the caller writes them."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason of a failure, from the provider or from the engine."""

    code: str
    title: str
    error_class: str


ANSWER_LOST = Failure("answer_lost", "The provider's answer was lost", "ambiguous")


class Transitions:
    """Methods of :class:`delivery.models.Message`. Each changes the object; the caller writes it."""

    status: str
    claimed_from: str
    next_attempt_at: datetime | None
    lease_until: datetime | None
    lease_token: UUID | None
    call_started_at: datetime | None
    attempts: int
    calls: int
    claims: int
    ambiguous: bool
    provider_id: str | None
    parts: int
    encoding: str
    error_code: str
    error_title: str
    error_class: str
    dead_since: datetime | None
    created_at: datetime
    expires_at: datetime | None
    updated_at: datetime

    @property
    def is_called_back(self) -> bool:
        """Tell whether ``delivery.cancel`` has marked it: no text is accepted with such an expiry."""
        return self.expires_at is not None and self.expires_at <= self.created_at

    def accept(self, provider_id: str, now: datetime) -> None:
        """Mark it as accepted by the provider."""
        self.provider_id = provider_id
        self.ambiguous = False
        self.dead_since = None
        self._set_failure(None)
        self._move(Status.ACCEPTED, now)

    def keep_billed(self, parts: int | None, encoding: str | None) -> None:
        """Replace the counted size by the size that the provider states."""
        self.parts = parts or self.parts
        self.encoding = encoding or self.encoding

    def retry_at(self, when: datetime, failure: Failure, now: datetime) -> None:
        """Schedule a retry after a temporary failure."""
        self._set_failure(failure)
        self.next_attempt_at = when
        self._move(Status.RETRYING, now)

    def postpone(self, until: datetime, now: datetime) -> None:
        """Make it due later, without recording a failure."""
        self.next_attempt_at = until
        status = Status.RETRYING if self.attempts else Status.QUEUED
        self._move(status, now)

    def wait(self, failure: Failure, until: datetime, now: datetime) -> None:
        """Postpone it (see :meth:`postpone`) with a reason that users see."""
        self._set_failure(failure)
        self.postpone(until, now)

    def give_up(self, failure: Failure, now: datetime) -> None:
        """End all attempts: dead, or unknown if a call may have reached the provider."""
        self._set_failure(failure)
        self.dead_since = now
        self._move(Status.UNKNOWN if self.ambiguous else Status.DEAD, now)

    def suppress(self, failure: Failure | None, now: datetime) -> None:
        """End it because the recipient has opted out."""
        self._end_unless_ambiguous(Status.SUPPRESSED, failure, now)

    def expire(self, now: datetime) -> None:
        """End it because it is too old, or because its batch was cancelled during a call."""
        if self.is_called_back:
            return self._end_unless_ambiguous(Status.CANCELLED, None, now)
        failure = Failure("expired", "It could not be sent before it was too old", "expired")
        return self._end_unless_ambiguous(Status.EXPIRED, failure, now)

    def cancel(self, now: datetime) -> None:
        """End it because a person cancelled it."""
        self._move(Status.CANCELLED, now)

    def withdraw(self, failure: Failure, now: datetime) -> None:
        """Cancel it because its recipient must not be texted."""
        self._end_unless_ambiguous(Status.CANCELLED, failure, now)

    def report(self, status: Status, failure: Failure | None, now: datetime) -> None:
        """Apply a status that the provider reports: the provider has the message, so the engine is done."""
        self.ambiguous = False
        self.dead_since = None
        self._set_failure(failure)
        self._move(status, now)

    def put_back(self) -> None:
        """Return it to the queue unchanged. Users see no change."""
        self.status = self.claimed_from
        self._clear_lease()

    def _end_unless_ambiguous(self, status: Status, failure: Failure | None, now: datetime) -> None:
        # An earlier call may have sent it: the status must not say that it was not sent.
        if self.ambiguous:
            return self.give_up(failure or ANSWER_LOST, now)
        self._set_failure(failure)
        self._move(status, now)
        return None

    def _set_failure(self, failure: Failure | None) -> None:
        self.error_code = failure.code[:40] if failure else ""
        self.error_title = failure.title[:200] if failure else ""
        self.error_class = failure.error_class[:20] if failure else ""

    def _move(self, status: Status, now: datetime) -> None:
        self.status = status.value
        self.claims = 0
        self.updated_at = now
        self._clear_lease()

    def _clear_lease(self) -> None:
        self.lease_until = None
        self.lease_token = None
        self.call_started_at = None
