"""The quiet hours of a church, in the zone of each number.

A text that would leave in them waits for their end (``delivery.sending.quiet``). A reply goes while
the person's last text is at most half an hour old: who writes at night is awake.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils.translation import gettext as _

from delivery.models import Direction, Message
from koinonia.models import Church
from koinonia.quiet.zones import zones_of
from koinonia.zones import zone_named

DEFAULT_FROM, DEFAULT_UNTIL = time(21), time(8)
"""The quiet hours of a new church."""
REPLY_WITHIN = timedelta(minutes=30)
_TRIES = 24
"""Ends of quiet hours that are tried for a number of several zones."""


def quiet_hours_refusal(begins: time | None, ends: time | None) -> str:
    """Return why these quiet hours cannot be stored, as a sentence; empty if they can."""
    if (begins is None) != (ends is None):
        return _("Give both times of the quiet hours, or neither.")
    if begins is not None and begins == ends:
        return _("The quiet hours begin and end at the same time. Leave both empty for none.")
    return ""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``begins`` until ``ends``, usually over midnight."""

    begins: time
    ends: time
    zone: str
    """The church's zone, for numbers without a place."""

    @classmethod
    def of(cls, church: Church) -> QuietHours | None:
        """Return the quiet hours of the church; None if it has none."""
        begins, ends = church.quiet_from, church.quiet_until
        if begins is None or ends is None or begins == ends:
            return None
        return cls(begins, ends, church.timezone)

    def until(self, number: str, now: datetime) -> datetime | None:
        """Return when the quiet hours of this number end; None if it may be texted now."""
        return self._until(tuple(zones_of(number, self.zone)), now)

    def _until(self, zones: Sequence[str], now: datetime) -> datetime | None:
        at = now
        for _try in range(_TRIES):
            ends = [end for zone in zones if (end := self._end(zone, at)) is not None]
            if not ends:
                return None if at == now else at
            at = max(ends)
        # The zones of the number have no common hour by day.
        return self._end(self.zone, now)

    def _end(self, zone: str, at: datetime) -> datetime | None:
        local = at.astimezone(zone_named(zone))
        is_over_midnight = self.ends < self.begins
        clock = local.time()
        if is_over_midnight:
            quiet = clock >= self.begins or clock < self.ends
        else:
            quiet = self.begins <= clock < self.ends
        if not quiet:
            return None
        day = local.date()
        if is_over_midnight and clock >= self.begins:
            day += timedelta(days=1)
        ends = datetime.combine(day, self.ends, tzinfo=local.tzinfo)
        # When the clocks go back, the end exists twice, and the first one may be over.
        until = (ends.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return next((end for end in until if end > at), None)


def quiet_until(church: Church, messages: Sequence[Message], now: datetime) -> dict[int, datetime]:
    """Return, by key, until when each message waits (``DELIVERY["QUIET_UNTIL"]``)."""
    hours = QuietHours.of(church)
    if hours is None:
        return {}
    ends = {message.pk: hours.until(message.to_number, now) for message in messages}
    waiting = {key: end for key, end in ends.items() if end is not None}
    if not waiting:
        return {}
    single = [row for row in messages if row.pk in waiting and row.batch is None]
    answering = _awake({row.thread for row in single if row.thread}, now)
    for row in single:
        if row.thread in answering:
            del waiting[row.pk]
    return waiting


def _awake(threads: set[int], now: datetime) -> set[int]:
    """Return the conversations with a text from the person within the last half hour."""
    if not threads:
        return set()
    heard = Message.objects.filter(
        thread__in=threads, direction=Direction.INBOUND, created_at__gt=now - REPLY_WITHIN
    )
    return {thread for thread in heard.values_list("thread", flat=True) if thread}


@dataclass(frozen=True, slots=True)
class QuietForecast:
    """The number of texts that would wait, and the latest end of their wait."""

    waiting: int
    until: datetime | None


def forecast(church: Church, numbers: Iterable[str], at: datetime) -> QuietForecast:
    """Return how many of ``numbers`` would wait for the end of their quiet hours at ``at``."""
    hours = QuietHours.of(church)
    ends = [end for number in numbers if hours and (end := hours.until(number, at)) is not None]
    return QuietForecast(len(ends), max(ends, default=None))
