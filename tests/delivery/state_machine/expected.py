"""The expected behaviour of the engine, in the simplest form: an oracle without rows, leases or
tokens."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from delivery.models import Message, Outcome
from delivery.providers.base import SendOutcome
from delivery.statuses import FROM_PROVIDER, UNFINISHED, Status

DELAYS = (1, 2, 4)
ATTEMPTS = 4
RANK = {
    Status.ACCEPTED: 1,
    Status.SENT: 2,
    Status.FAILED: 3,
    Status.UNCONFIRMED: 3,
    Status.DELIVERED: 4,
}
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Older than any webhook: every webhook counts as newer than the answer to the call."""
_FAILURES = {Outcome.RETRYABLE, Outcome.AMBIGUOUS}

Send = tuple[int, int]
"""A message and its generation: all calls with one key."""


@dataclass(frozen=True, slots=True)
class Told:
    """A report of the provider about a send."""

    provider_id: str
    status: Status
    at: datetime


@dataclass
class Expected:
    attempts: Counter[Send] = field(default_factory=Counter)
    ambiguous: set[Send] = field(default_factory=set)
    """A call had no answer, and no later answer has settled it."""
    _until_it_answers: set[Send] = field(default_factory=set)
    """Ambiguous only because one worker died."""
    told: dict[int, list[Told]] = field(default_factory=lambda: defaultdict(list))
    doubled: Counter[int] = field(default_factory=Counter)
    """The number of sends that a person ordered although the message may arrive twice."""
    counts: Counter[str] = field(default_factory=Counter)
    """Counts of events that random runs seldom reach."""

    def call_was_lost(self, row: Message) -> None:
        """Record that the worker died during the call."""
        send = (row.pk, row.generation)
        if send in self.ambiguous:
            # A late answer to this call does not settle the previous call.
            self._until_it_answers.discard(send)
        else:
            self.ambiguous.add(send)
            self._until_it_answers.add(send)

    def call_was_only_slow(self, row: Message) -> None:
        """Record that the worker is alive and returns the answer while it still holds the row."""
        send = (row.pk, row.generation)
        if send in self._until_it_answers:
            self._until_it_answers.discard(send)
            self.ambiguous.discard(send)

    def answered(self, row: Message, outcome: SendOutcome, *, probe: bool, now: datetime) -> None:
        """Record the ``outcome`` of a call of ``row`` by the worker that held it."""
        send = (row.pk, row.generation)
        free = outcome.kind == Outcome.THROTTLED or outcome.hold
        failed_probe = probe and outcome.kind in _FAILURES
        self.counts["a failed probe"] += failed_probe
        spent = not free and not failed_probe
        self.attempts[send] += spent
        assert row.attempts == self.attempts[send], "Attempts are not counted right."
        if outcome.kind == Outcome.AMBIGUOUS:
            self.ambiguous.add(send)
        if outcome.kind in {Outcome.ACCEPTED, Outcome.PERMANENT} and outcome.from_provider:
            self.counts["an ambiguous call refused"] += (
                send in self.ambiguous and not outcome.provider_id
            )
            self.ambiguous.discard(send)
        given_up = Status.UNKNOWN if send in self.ambiguous else Status.DEAD
        if outcome.kind == Outcome.ACCEPTED:
            self.told[row.pk].append(Told(outcome.provider_id, Status.ACCEPTED, _FIRST))
            assert (row.status, row.provider_id) == (Status.ACCEPTED, outcome.provider_id)
        elif outcome.kind == Outcome.PERMANENT:
            assert row.status == (Status.SUPPRESSED if outcome.opted_out else given_up)
        elif free or not spent:
            self._waits(row, now)
        elif outcome.kind == Outcome.CONFIGURATION or self.attempts[send] == ATTEMPTS:
            assert row.status == given_up
        else:
            pause = timedelta(seconds=DELAYS[self.attempts[send] - 1])
            assert (row.status, row.next_attempt_at) == (Status.RETRYING, now + pause)

    def settles_late(self, before: Message, generation: int, outcome: SendOutcome) -> bool:
        """Return True if a late answer, of a worker that had lost ``before``, settles the
        ambiguity."""
        accepted = outcome.kind == Outcome.ACCEPTED
        found = accepted and (before.status, before.generation) == (Status.UNKNOWN, generation)
        if found:
            self.counts["an ambiguous call settled late"] += 1
            self.ambiguous.discard((before.pk, generation))
            self.told[before.pk].append(Told(outcome.provider_id, Status.ACCEPTED, _FIRST))
        return found

    def _waits(self, row: Message, now: datetime) -> None:
        assert row.status == (Status.RETRYING if row.attempts else Status.QUEUED)
        assert row.next_attempt_at is not None
        assert row.next_attempt_at > now

    def comes_too_early(self, before: Message, status: Status) -> bool:
        """Return True if a person ordered another send without an answer so far: a report about the
        first send would end the second."""
        ordered = before.generation > 1 and before.status in UNFINISHED
        waits = ordered and before.provider_id is None and status != Status.DELIVERED
        self.counts["a report that must wait"] += waits
        return waits

    def reported(self, before: Message, after: Message, told: Told) -> None:
        """Record a webhook's report about one send of the message."""
        reports = self.told[after.pk]
        reports.append(told)
        self.ambiguous.discard((after.pk, after.generation))
        assert after.provider_id is not None, "The message was not found by its reference."
        if before.provider_id not in {None, told.provider_id}:
            # A report about an earlier send counts only if the message arrived.
            self.counts["an earlier send"] += 1
            news = told.status if told.status == Status.DELIVERED else before.status
            assert (after.status, after.provider_id) == (news, before.provider_id)
            return
        arrived = any(report.status == Status.DELIVERED for report in reports)
        of_this_send = [one for one in reports if one.provider_id == after.provider_id]
        best = max(of_this_send, key=_worth).status
        assert after.status == (Status.DELIVERED if arrived else best), "Rank, then time."

    def ordered_again(self, before: Message, after: Message, *, refused: bool) -> None:
        """Record that a person ordered another send of a dead letter; the order was ``refused`` or
        not."""
        if refused:
            assert (after.status, after.generation) == (before.status, before.generation)
            return
        surely_not_taken = before.error_class in {"permanent", "configuration"}
        is_new = surely_not_taken or before.status == Status.UNKNOWN
        assert after.status == Status.QUEUED
        assert after.generation == before.generation + is_new
        self.doubled[after.pk] += before.status == Status.UNKNOWN
        self.attempts[(after.pk, after.generation)] = 0

    def judge(self, row: Message, accepted: int) -> None:
        """Check the invariants of a message; the provider has accepted ``accepted`` sends of it."""
        assert row.attempts <= ATTEMPTS
        assert row.claims <= 5
        assert accepted <= 1 + self.doubled[row.pk], "A text was sent twice, without an order."
        is_ambiguous = (row.pk, row.generation) in self.ambiguous
        if row.status in {Status.DEAD, Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED}:
            assert not is_ambiguous, "It may have been sent, and is called unsent."
        if row.status == Status.UNKNOWN:
            assert is_ambiguous, "It was certainly not sent, but its status does not say so."
        if self.told[row.pk]:
            assert Status(row.status) in FROM_PROVIDER or row.generation > 1


def _worth(report: Told) -> tuple[int, datetime, bool]:
    return RANK[report.status], report.at, report.status == Status.FAILED
