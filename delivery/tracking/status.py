"""Reports about messages that we sent. Webhooks come late, twice and in any order.

A report counts by its rank first, then by its time: the final status is the same for every order of
arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery import opt_outs
from delivery.changes import Changes
from delivery.models import Direction, Message, WebhookEvent
from delivery.models.queue import MessageQuerySet
from delivery.providers.base import DeliveryReport
from delivery.references import message_id
from delivery.statuses import UNFINISHED, Status
from delivery.tracking.waiting import WaitingEvent

REPORT_FIELDS = (
    "status", "lease_until", "lease_token", "call_started_at", "claims", "ambiguous", "provider_id",
    "parts", "encoding", "error_code", "error_title", "error_class", "dead_since", "updated_at",
    "sent_at", "delivered_at", "provider_status_at",
)  # fmt: skip
"""The fields that :func:`move` may set."""
_READ = (
    "tenant", "author", "batch", "thread", "status", "claimed_from", "generation", "to_number",
    "from_number", "provider", "provider_id", "provider_status_at", "parts", "encoding", "sent_at",
    "trace", "error_code", "error_title", "error_class", "updated_at",
)  # fmt: skip
"""The columns that a report is compared with, and that the events of its change show."""
RANKS: Mapping[str, int] = {
    Status.ACCEPTED: 1,
    Status.SENT: 2,
    Status.UNCONFIRMED: 3,
    Status.FAILED: 3,
    Status.DELIVERED: 4,
}
"""Our own statuses rank below all reports: a provider that reports on a text has it."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A stored event and the report in it."""

    event: WaitingEvent
    report: DeliveryReport


def apply(reported: Sequence[Reported], changes: Changes, now: datetime) -> None:
    """Move the messages on and give the events their results.

    A report that comes too early gets none: its message does not exist yet, or a second send of it has
    no id yet.
    """
    if not reported:
        return
    messages = _Messages(reported)
    before: dict[int, str] = {}
    repeated: set[int] = set()
    matched = []
    for item in sorted(reported, key=_order):
        message = messages.find(item)
        if message is None:
            continue
        matched.append((message, item.report))
        if may_be_of_another_send(item.report, message):
            continue
        if supersedes(item.report, message):
            before.setdefault(message.pk, message.status)
            move(message, item.report, now)
            _mark(item.event, message, WebhookEvent.Result.APPLIED)
        else:
            if repeats_status(item.report, message):
                message.provider_status_at = item.report.at
                repeated.add(message.pk)
            _mark(item.event, message, WebhookEvent.Result.SUPERSEDED)
    Message.objects.all().write(
        [messages.by_pk[pk] for pk in sorted(repeated - before.keys())], ["provider_status_at"]
    )
    moved = [messages.by_pk[pk] for pk in sorted(before)]
    Message.objects.all().write(moved, REPORT_FIELDS)
    for message in moved:
        changes.add(message, previous=before[message.pk])
    note_opt_outs(matched, now)


def move(message: Message, report: DeliveryReport, now: datetime) -> None:
    """Move ``message`` to the state in ``report``. A worker that holds the message loses its lease:
    the provider has the text, and the worker's late result only adds its attempt."""
    message.report(report.status, report.failure, now)
    if message.provider_id in {None, report.provider_id}:
        message.keep_billed(report.billed.parts, report.billed.encoding)
    message.provider_id = message.provider_id or report.provider_id
    message.provider_status_at = report.at
    if report.status != Status.ACCEPTED:
        message.sent_at = message.sent_at or report.sent_at
    if report.status == Status.SENT:
        message.sent_at = message.sent_at or report.at
    message.delivered_at = None
    if report.status == Status.DELIVERED:
        message.delivered_at = report.completed_at or report.at


def rank(status: str) -> int:
    return RANKS.get(status, 0)


def may_be_of_another_send(report: DeliveryReport, message: Message) -> bool:
    """Return whether the report may be about an earlier send of ``message``.

    A person has ordered another send, which has no id so far. A report on the first send must not
    end the second; but if the first has arrived, no second one is needed.
    """
    return (
        message.generation > 1
        and message.provider_id is None
        and message.status in UNFINISHED
        and report.status != Status.DELIVERED
    )


def supersedes(report: DeliveryReport, message: Message) -> bool:
    """Return whether ``report`` replaces the present state of ``message``."""
    if _is_of_earlier_send(report, message):
        # The text reached the phone, so the state of the second send does not matter.
        return report.status == Status.DELIVERED != message.status
    reported, known = rank(report.status), rank(message.status)
    if reported != known:
        return reported > known
    return report.status != message.status and _is_newer(report, message)


def repeats_status(report: DeliveryReport, message: Message) -> bool:
    """Return whether it is the same status with a later time. Remember that time, so that older
    reports in between are ignored."""
    known_at = message.provider_status_at
    return (
        report.status == message.status
        and not _is_of_earlier_send(report, message)
        and (known_at is None or report.at > known_at)
    )


def note_opt_outs(matched: Iterable[tuple[Message, DeliveryReport]], now: datetime) -> None:
    """Write an opt-out for each refusal after a STOP: it concerns the person, not one send."""
    refused = {
        (message.tenant_id, message.to_number, report.completed_at or report.at)
        for message, report in matched
        if report.opted_out
    }
    # All workers use one order, so that two that write the same opt-outs cannot deadlock.
    for tenant_id, number, at in sorted(refused):
        opt_outs.refused(tenant_id, number, at=at, now=now)


class _Messages:
    """The messages that some reports may be about, locked in the order of ids."""

    def __init__(self, reported: Sequence[Reported]) -> None:
        self.by_pk: dict[int, Message] = {}
        self._by_provider_id: dict[tuple[str, str], Message] = {}
        self._held_elsewhere: set[tuple[str, str]] = set()
        refs = {message_id(item.event.content.ref) for item in reported} - {None}
        if refs:
            self._remember(_outbound().filter(pk__among=refs).locked())
        # Most references name the message with the provider's id of the report.
        self._find_by_provider_id({_id(item) for item in reported} - self._by_provider_id.keys())

    def find(self, item: Reported) -> Message | None:
        """Find by the provider's id; else by our reference, which must agree with both numbers."""
        found = self._by_provider_id.get(_id(item))
        if found is None and _id(item) not in self._held_elsewhere:
            referred = self.by_pk.get(message_id(item.event.content.ref) or 0)
            found = referred if referred and _agrees(item, referred) else None
        return found

    def _find_by_provider_id(self, wanted: set[tuple[str, str]]) -> None:
        if not wanted:
            return
        ids = {provider_id for _, provider_id in wanted}
        rows = _outbound().filter(provider_id__in=ids).values_list("provider", "provider_id", "pk")
        found = {(row[0], row[1] or ""): row[2] for row in rows if row[2] not in self.by_pk}
        if not found:
            return
        # These rows may come before the locked ones. To wait for them would risk a deadlock.
        busy = bool(self.by_pk)
        self._remember(_outbound().filter(pk__among=found.values()).locked(skip_locked=busy))
        self._held_elsewhere = found.keys() - self._by_provider_id.keys()

    def _remember(self, rows: Iterable[Message]) -> None:
        for row in rows:
            self.by_pk[row.pk] = row
            if row.provider_id:
                self._by_provider_id[row.provider, row.provider_id] = row


def _outbound() -> MessageQuerySet:
    return Message.objects.filter(direction=Direction.OUTBOUND).only(*_READ)


def _id(item: Reported) -> tuple[str, str]:
    return item.event.provider, item.report.provider_id


def _agrees(item: Reported, message: Message) -> bool:
    told = (item.event.provider, item.report.to_number, item.report.from_number)
    return told == (message.provider, message.to_number, message.from_number)


def _order(item: Reported) -> tuple[int, datetime, int]:
    return rank(item.report.status), item.report.at, item.event.pk


def _mark(event: WaitingEvent, message: Message, result: WebhookEvent.Result) -> None:
    event.message_id, event.result = message.pk, result.value
    event.tenant_id, event.trace = message.tenant_id, message.trace


def _is_of_earlier_send(report: DeliveryReport, message: Message) -> bool:
    return message.provider_id is not None and message.provider_id != report.provider_id


def _is_newer(report: DeliveryReport, message: Message) -> bool:
    if message.provider_status_at is None or report.at == message.provider_status_at:
        return report.status == Status.FAILED
    return report.at > message.provider_status_at
