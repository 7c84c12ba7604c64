"""Texts of which nobody knows whether Telnyx has them, found again among those that it has.

Telnyx finds no text by its Idempotency-Key. What it shows of each is where it reports on it, and that
URL is ours, one for each text. Where there is none, a text must look like ours in all that can be
seen, and no other of ours may look the same. In any doubt nothing is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from delivery.models import Attempt, Direction, Message
from delivery.providers.telnyx.lookup import Lookup
from delivery.providers.telnyx.request import webhook_url
from delivery.providers.telnyx.times import moment
from delivery.statuses import Status
from delivery.tracking.report import StatusReport, status_report, text_of

_CLOCKS_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Lost:
    """All that is needed to ask about one such text, away from the database."""

    message_id: int
    generation: int
    to_number: str
    from_number: str
    text: str
    parts: int
    webhook_url: str
    since: datetime
    until: datetime
    """It was handed over between these two, if at all."""
    others: frozenset[str]
    """Ids that Telnyx gave to other texts of ours between the two numbers."""
    one_of_many: bool
    """Another lost text of ours says the same to the same number."""

    @classmethod
    def of(cls, message: Message) -> Lost:
        since, until = _calls(message)
        alike = Message.objects.filter(
            direction=Direction.OUTBOUND,
            to_number=message.to_number,
            from_number=message.from_number,
        ).exclude(pk=message.pk)
        taken = alike.filter(provider_id__isnull=False, updated_at__gte=since)
        twins = alike.filter(provider_id__isnull=True, calls__gt=0, text=message.text)
        return cls(
            message_id=message.pk,
            generation=message.generation,
            to_number=message.to_number,
            from_number=message.from_number,
            text=message.text,
            parts=message.parts,
            webhook_url=webhook_url(message),
            since=since,
            until=until,
            others=frozenset(filter(None, taken.values_list("provider_id", flat=True))),
            one_of_many=twins.exists(),
        )

    def ask(self, lookup: Lookup, now: datetime) -> StatusReport | None:
        """What became of it; None where Telnyx shows no text, or more than one, that it may be."""
        records = lookup.records(
            to_number=self.to_number, from_number=self.from_number, since=self.since
        )
        candidates = self._candidates([row for row in records if isinstance(row, dict)], now)
        if len(candidates) != 1:
            return None
        payload = lookup.message(candidates[0])
        report = status_report(payload, at=now)
        return report if report and self._is_mine(payload, report, candidates[0]) else None

    def belongs_to(self, row: Message) -> bool:
        """Whether ``row`` is still the text that was asked about, and still lost."""
        return row.status == Status.UNKNOWN and row.generation == self.generation

    def _candidates(self, records: Sequence[dict[str, Any]], now: datetime) -> list[str]:
        between_us = [row for row in records if self._is_between_us(row)]
        mine = [row for row in between_us if self.webhook_url and _url(row) == self.webhook_url]
        if not mine and not self.one_of_many:
            mine = [row for row in between_us if self._looks_like_me(row, now)]
        return sorted({text_of(row.get("uuid")) for row in mine} - self.others - {""})

    def _is_between_us(self, record: dict[str, Any]) -> bool:
        there = (record.get("cld"), record.get("cli"), record.get("direction", "outbound"))
        return there == (self.to_number, self.from_number, "outbound")

    def _looks_like_me(self, record: dict[str, Any], now: datetime) -> bool:
        at = moment(record.get("created_at"), now)
        is_then = at is not None and self.since <= at <= self.until
        return is_then and record.get("parts") == self.parts and not _url(record)

    def _is_mine(self, payload: dict[str, Any], report: StatusReport, provider_id: str) -> bool:
        """The last word: what the whole message says, not its record."""
        return (
            report.provider_id == provider_id
            and (report.to_number, report.from_number) == (self.to_number, self.from_number)
            and text_of(payload.get("webhook_url")) == self.webhook_url
            # Where a URL says whose it is: Telnyx may write a character in another way.
            and (bool(self.webhook_url) or text_of(payload.get("text")) == self.text)
        )


def _url(record: dict[str, Any]) -> str:
    return text_of(record.get("delivery_status_webhook_url"))


def _calls(message: Message) -> tuple[datetime, datetime]:
    """When the calls of its present generation began and ended, with room for clocks that differ."""
    calls = Attempt.objects.filter(message=message, generation=message.generation)
    moments = list(calls.values_list("started_at", "duration_ms"))
    ended = message.dead_since or message.updated_at
    begin = min((began for began, _ in moments), default=message.created_at)
    end = max((began + timedelta(milliseconds=ms) for began, ms in moments), default=ended)
    return begin - _CLOCKS_DIFFER, end + _CLOCKS_DIFFER
