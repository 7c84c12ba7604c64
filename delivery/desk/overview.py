"""The figures of delivery for the first page of the support desk, and its troubles in sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Min
from django.utils import timezone

from delivery import status_report
from delivery.desk.accounts import AccountView, accounts
from delivery.desk.durations import since
from delivery.desk.letters import Letters, letters
from delivery.desk.success import Success, success
from delivery.desk.webhooks import Webhooks, webhooks
from delivery.limits import slowdowns, spend, stops
from delivery.models import BreakerState, Message, SpendLimit, TenantStop
from delivery.queue.heads import heads
from delivery.statuses import Status

T = TypeVar("T")
KEPT_SECONDS = 3.0
"""The pages of one process share a result for this time, so that many cost as few queries as one."""
_LATE = timedelta(minutes=5)
_WEBHOOKS_LATE = timedelta(minutes=2)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, as a sentence. ``tone``: ``bad`` if texts do not go out, else ``warn``."""

    tone: str
    sentence: str
    model: str = ""
    """The model of this app whose page in the admin helps, and the query of that page."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the queue: how many texts, and for how long the oldest has been there."""

    words: str
    number: int
    oldest: str
    status: str = ""
    """For the link to the dead letters; empty without one."""


@dataclass(frozen=True, slots=True)
class Overview:
    at: datetime
    accounts: list[AccountView]
    stops: list[TenantStop]
    more_stops: bool
    capped: list[SpendLimit]
    queue: list[Line]
    letters: Letters
    webhooks: Webhooks
    success: Success
    troubles: list[Trouble]
    """The most serious first."""
    webhooks_wait: str
    """For how long the oldest due event has waited, in words."""
    last_webhook: str
    letters_oldest: str


def overview(now: datetime) -> Overview:
    """Return the figures of all tenants, by tallies and indexes: about thirty queries."""
    found, stopped = accounts(now), list(stops.active(now)[: _SHOWN + 1])
    capped, dead, hooks = spend.waiting(now), letters(now), webhooks(now)
    halted = {one.alias for one in found if one.tone == "bad"}
    keys = {one.tenant_id for one in stopped}
    late = min(
        (
            head.due_at
            for head in heads()
            if head.is_due(now) and head.provider not in halted and head.tenant_id not in keys
        ),
        default=None,
    )
    return Overview(
        at=now,
        accounts=found,
        stops=stopped[:_SHOWN],
        more_stops=len(stopped) > _SHOWN,
        capped=capped[:_SHOWN],
        queue=_queue(now, dead),
        letters=dead,
        webhooks=hooks,
        success=success(now, timezone.get_current_timezone()),
        troubles=sorted(
            _troubles(found, stopped, capped, late, dead, hooks, now), key=lambda one: one.tone
        ),
        webhooks_wait=since(hooks.waiting_since, now),
        last_webhook=since(hooks.last_arrival, now),
        letters_oldest=since(dead.oldest, now),
    )


def _queue(now: datetime, dead: Letters) -> list[Line]:
    counts = status_report.queue()
    calls = Message.objects.watched(Status.SENDING).order_by()
    began = calls.aggregate(at=Min("call_started_at"))["at"]
    due = since(status_report.oldest_due(now), now)
    return [
        Line("Queued", counts["queued"], due),
        Line("To be tried again", counts["retrying"], due if counts["retrying"] else ""),
        Line("Scheduled for later", counts["scheduled"], ""),
        Line("With a worker now", counts["sending"], since(began, now)),
        Line("Dead: not sent", counts["dead"], since(dead.oldest, now), "dead"),
        Line("Unknown: may have arrived", counts["unknown"], "", "unknown"),
    ]


def _troubles(
    found: list[AccountView],
    stopped: list[TenantStop],
    capped: list[SpendLimit],
    late: datetime | None,
    dead: Letters,
    hooks: Webhooks,
    now: datetime,
) -> Iterator[Trouble]:
    for one in found:
        if one.breaker.state != BreakerState.CLOSED or one.hold is not None:
            yield Trouble(one.tone, f"{one.alias}: {one.sentence}", "breakertransition")
        if one.slowed:
            yield Trouble("warn", f"{one.alias}: {_slowed(one)}", "slowdown")
    if late is not None and now - late > _LATE:
        waits = since(late, now)
        slow = " A person has slowed the pace." if any(one.slowed for one in found) else ""
        yield Trouble("bad", f"A text has been due for {waits}: see whether the workers run.{slow}")
    if hooks.waiting_since is not None and now - hooks.waiting_since > _WEBHOOKS_LATE:
        waits = since(hooks.waiting_since, now)
        sentence = f"Webhooks have waited for {waits}: see whether the workers run."
        yield Trouble("bad", sentence, "webhookevent")
    if dead.last_hour:
        texts = "text died" if dead.last_hour == 1 else "texts died"
        sentence = f"{dead.last_hour:,} {texts} in the last hour."
        yield Trouble("warn", sentence, "deadletter", "?age=1h")
    if stopped:
        names = stops.names_of(stopped[:3])
        more = f" and {len(stopped) - 3} more" if len(stopped) > 3 else ""
        yield Trouble("warn", f"A person has stopped the texts of {names}{more}.", "tenantstop")
    if capped:
        which = ", ".join(str(limit.tenant) for limit in capped[:3])
        sentence = f"The daily cap is reached: the texts of {which} wait."
        yield Trouble("warn", sentence, "spendlimit")


def _slowed(one: AccountView) -> str:
    numbers = sum(bool(row.sender) for row in one.slowed)
    more = " or more" if one.more_slowed else ""
    of_numbers = f"{numbers}{more} {'number' if numbers == 1 else 'numbers'}"
    if not one.is_slowed:
        return f"A person has slowed {of_numbers}."
    rate = slowdowns.in_words(one.slowed[0].rate)
    own = f", and {of_numbers} besides" if numbers else ""
    return f"A person has slowed the account to {rate}{own}."


class Kept(Generic[T]):
    """The last figures of this process."""

    def __init__(self, make: Callable[[datetime], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._found: T | None = None

    def get(self, now: datetime) -> T:
        """Return figures that are a few seconds old at most. Callers during a run wait for them."""
        with self._lock:
            if self._found is None or time.monotonic() - self._at > KEPT_SECONDS:
                self._found, self._at = self._make(now), time.monotonic()
            return self._found

    def forget(self) -> None:
        """Read the figures at the next request: a person has changed them in this process."""
        self._found = None


kept = Kept(overview)
