"""Retries of many dead letters at once: a forecast before, the progress while, and the result after it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Count

from delivery import conf
from delivery.dead_letters.retrying import refusals, retry
from delivery.models import DeadLetterAction, Message, RetryRun
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS, ON_ITS_WAY, UNFINISHED, Status

MOST = 10_000
"""Dead letters of one run. Further ones stay in the queue, and the page says so."""
_READ = (
    "pk", "status", "discarded_at", "recipient_gone", "tenant", "to_number", "parts", "provider",
    "from_number",
)  # fmt: skip


@dataclass(slots=True)
class Forecast:
    """The expected effect of a retry of some dead letters."""

    chosen: int
    more: bool
    """More than ``MOST`` were chosen."""
    going: int = 0
    """The messages that the retry queues, if doubles are not allowed."""
    parts: int = 0
    doubles: int = 0
    """The messages that may have arrived, and go only if doubles are allowed."""
    double_parts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Numbers by code of ``REFUSALS``, without the doubles."""
    seconds: float | None = None
    """The time at the pace of the busiest number or account; None: no limit is set."""
    double_seconds: float | None = None
    """The same with the doubles."""


def forecast(messages: MessageQuerySet) -> Forecast:
    """Return the effect that :func:`begin` would have on ``messages`` now."""
    rows = list(messages.order_by("pk").only(*_READ)[: MOST + 1])
    found = Forecast(min(len(rows), MOST), more=len(rows) > MOST)
    going: list[Message] = []
    doubling: list[Message] = []
    codes = refusals(rows[:MOST], may_double=False)
    for row in rows[:MOST]:
        code = codes[row.pk]
        if code == "may_double_required":
            doubling.append(row)
        elif code:
            found.refused[code] += 1
        else:
            going.append(row)
    found.going, found.doubles = len(going), len(doubling)
    found.parts = sum(row.parts for row in going)
    found.double_parts = sum(row.parts for row in doubling)
    found.seconds = _seconds(going)
    found.double_seconds = _seconds([*going, *doubling])
    return found


def begin(
    messages: MessageQuerySet,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    may_double: bool = False,
    reason: str = "",
) -> RetryRun:
    """Retry the first ``MOST`` of ``messages``, and return the run that remembers them."""
    keys = list(messages.order_by("pk").values_list("pk", flat=True)[:MOST])
    run = RetryRun.objects.create(
        by_id=None if by is None else by.pk,
        at=now,
        reason=reason.strip()[:200],
        may_double=may_double,
        chosen=len(keys),
    )
    chosen = Message.objects.filter(pk__in=keys)
    result = retry(chosen, by=by, now=now, may_double=may_double, run=run)
    run.retried = result.retried
    run.refused = dict(Counter(code for _, code in result.refused))
    run.parts = result.parts
    run.save(update_fields=["retried", "refused", "parts"])
    return run


@dataclass(frozen=True, slots=True)
class Progress:
    """The present statuses of the messages of a run."""

    waiting: int = 0
    with_provider: int = 0
    delivered: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)
    """Numbers by status: refused by the carrier, opted out, expired, …"""
    again: Mapping[str, int] = field(default_factory=dict)
    """Dead letters again, by error code."""

    @property
    def total(self) -> int:
        return self.waiting + self.decided

    @property
    def decided(self) -> int:
        """Return how many have left our queue."""
        ended = sum(self.ended.values()) + sum(self.again.values())
        return self.with_provider + self.delivered + ended

    @property
    def is_over(self) -> bool:
        return not self.waiting and not self.with_provider

    @property
    def sentence(self) -> str:
        """Return the result, such as ``31 delivered, 2 dead again: 40310``."""
        parts = [f"{self.delivered:,} delivered"]
        if again := sum(self.again.values()):
            codes = ", ".join(sorted(self.again)[:5])
            parts.append(f"{again:,} dead again: {codes}")
        parts += [f"{number:,} {status}" for status, number in sorted(self.ended.items())]
        if self.with_provider:
            parts.append(f"{self.with_provider:,} with the provider")
        if self.waiting:
            parts.append(f"{self.waiting:,} waiting")
        return ", ".join(parts)


def progress(runs: Iterable[RetryRun]) -> dict[int, Progress]:
    """Return the progress of each run. One query, by the index of the actions of runs."""
    keys = [run.pk for run in runs]
    found: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    actions = DeadLetterAction.objects.filter(run__in=keys).order_by()
    counted = actions.values_list("run", "message__status", "message__error_code")
    for run, status, code, number in counted.annotate(number=Count("pk")):
        found[run][status, code] += number
    return {key: _summed(found[key]) for key in keys}


def _summed(counts: Mapping[tuple[str, str], int]) -> Progress:
    waiting = with_provider = delivered = 0
    ended: Counter[str] = Counter()
    again: Counter[str] = Counter()
    for (status, code), number in counts.items():
        if status in UNFINISHED:
            waiting += number
        elif status in ON_ITS_WAY:
            with_provider += number
        elif status == Status.DELIVERED:
            delivered += number
        elif status in DEAD_LETTERS:
            again[code or "no code"] += number
        else:
            ended[status] += number
    return Progress(waiting, with_provider, delivered, dict(ended), dict(again))


def _seconds(rows: list[Message]) -> float | None:
    """Return the time at the pace of the number, the account or the tenant that takes longest."""
    parts: Counter[tuple[float, Any]] = Counter()
    for row in rows:
        limits = (
            (conf.sender_rate(row.provider), (row.provider, row.from_number)),
            (conf.account_rate(row.provider), row.provider),
            (conf.tenant_rate(), row.tenant_id),
        )
        for rate, key in limits:
            if rate:
                parts[rate, key] += row.parts
    return max((number / rate for (rate, _), number in parts.items()), default=None)
