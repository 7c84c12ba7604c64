"""Report the state of sending for people, probes and the API (docs/api.md, ``delivery``)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, TypedDict

from django.db.models import Count, F, QuerySet, Subquery, Value

from delivery import conf
from delivery.checks import check_delivery
from delivery.content.encoding import MAX_PARTS
from delivery.limits import breaker, holds, slowdowns, spend, stops
from delivery.models import (
    Attempt,
    BreakerState,
    BreakerTransition,
    ForcedBreaker,
    Message,
    WebhookEvent,
)
from delivery.providers import registry
from delivery.providers.base import Account
from delivery.queue.heads import heads
from delivery.queue.turns import tenants_due
from delivery.senders import senders_by_key
from delivery.statuses import DEAD_LETTERS, UNFINISHED, Status
from delivery.tallies import reading as tallies

DAYS = 30
_MOST_STOPPED = 100
_QUEUE = tuple(status for status in Status if status in UNFINISHED | DEAD_LETTERS)
_SENDING = Status.SENDING.value


def report(tenant_id: Any = None, *, now: datetime, zone: tzinfo = UTC) -> dict[str, Any]:
    """Return the figures of one tenant or of all.

    ``breaker`` and ``hold``: those of the tenant's provider account, without a tenant of the default
    account; a stop of the tenant counts as an order to stop its account. ``accounts`` (all tenants): breaker and hold of each configured account.
    ``queue``: messages by status, without discarded ones. ``oldest_due_seconds``: the waiting time of
    the message that has been due longest, or None. ``success_rate``: the share that the provider or
    the carrier accepted, among messages of that period with a known outcome, or None.
    ``days``: messages by day of creation in ``zone``, oldest first, including empty days.
    ``spend`` (one tenant): the message parts that count against the daily cap, the cap or None, and
    when the next waiting message can go. ``capped`` (all tenants): the tenants with waiting messages.
    ``stopped`` (all tenants): up to a hundred tenants that a person has stopped.
    """
    return {
        **limits_of_tenant(tenant_id, now),
        "queue": queue(tenant_id),
        "oldest_due_seconds": _seconds_since(oldest_due(now, tenant_id=tenant_id), now),
        "success_rate": {
            "1h": tallies.success_rate(now - timedelta(hours=1), tenant_id),
            "24h": tallies.success_rate(now - timedelta(hours=24), tenant_id),
        },
        "days": days(tenant_id, now, zone),
        **_spend(tenant_id, now),
    }


class Limits(TypedDict):
    """The breaker, the hold and the slowdowns of an account."""

    breaker: dict[str, Any]
    hold: dict[str, Any] | None
    slowed: dict[str, datetime]
    """Sending number (empty: the whole account) -> end of its slowdown."""


def limits_of(alias: str, now: datetime) -> Limits:
    """Return the limits of an account in one statement: each page may ask this."""
    account = registry.account(alias)
    rows = _words("order", breaker.orders(account, now), "state", "until")
    last = BreakerTransition.objects.filter(account=account.name).order_by("-pk").values("pk")[:1]
    moved = BreakerTransition.objects.filter(pk=Subquery(last))
    held = holds.present(account, now)
    slow = slowdowns.standing(now).filter(account=account.name)
    parts = [
        _words("last", moved, "after", "until"),
        _words("hold", held, "code", "since"),
        _words("slow", slow, "sender", "until"),
    ]
    union = list(rows.union(*parts, all=True))
    found = {kind: (word, moment) for kind, word, moment in union}
    order, after, hold = (found.get(kind) for kind in ("order", "last", "hold"))
    view = breaker.view_of(
        ForcedBreaker(state=order[0], until=order[1]) if order else None,
        BreakerTransition(after=after[0], until=after[1]) if after else None,
    )
    return {
        "breaker": {"state": view.state.value, "until": view.until},
        "hold": {"code": hold[0], "since": hold[1]} if hold else None,
        "slowed": {sender: until for kind, sender, until in union if kind == "slow"},
    }


def _words(kind: str, rows: QuerySet[Any], word: str, moment: str) -> QuerySet[Any, Any]:
    """Return the rows as kind, word and time, so that rows of several tables form one answer."""
    named = rows.order_by().annotate(kind=Value(kind), word=F(word), moment=F(moment))
    found: QuerySet[Any, Any] = named.values_list("kind", "word", "moment")
    return found


def limits_of_tenant(tenant_id: Any, now: datetime) -> dict[str, Any]:
    """Return the breaker and the hold of the account of a tenant (None: of the default account)."""
    found = _limits(_account_of(tenant_id), now)
    stop = None if tenant_id is None else stops.current(tenant_id, now)
    if stop is not None:
        found["breaker"] = {"state": BreakerState.FORCED_OPEN.value, "until": stop.until}
    return found


def _account_of(tenant_id: Any) -> Account:
    if tenant_id is None or conf.provider_of() is None:
        return registry.account(conf.default_provider())
    senders = senders_by_key(tenant_id)
    return registry.account(senders[0].provider if senders else conf.default_provider())


def _limits(account: Account, now: datetime) -> dict[str, Any]:
    view, hold = breaker.current(account, now), holds.current(account, now)
    return {
        "breaker": {"state": view.state.value, "until": view.until},
        "hold": {"code": hold.code, "since": hold.since} if hold else None,
    }


def _spend(tenant_id: Any, now: datetime) -> dict[str, Any]:
    if tenant_id is None:
        return {
            "accounts": [
                {"provider": account.alias, **_limits(account, now)}
                for account in registry.accounts()
            ],
            "capped": [
                {"tenant": str(limit.tenant), "since": limit.reached_at, "until": limit.waits_until}
                for limit in spend.waiting(now)
            ],
            "stopped": [
                {"tenant": str(stop.tenant), "since": stop.since, "until": stop.until}
                for stop in stops.active(now)[:_MOST_STOPPED]
            ],
        }
    used = spend.current(tenant_id, now)
    return {"spend": {"parts": used.parts, "cap": used.cap, "until": used.until}}


def oldest_due(
    now: datetime,
    *,
    tenant_id: Any = None,
    aliases: Collection[str] | None = None,
    without: Collection[Any] = (),
) -> datetime | None:
    """Return since when the message waits that has been due longest, of some accounts or of all.

    ``without``: the keys of tenants to leave out.
    """
    due = (
        head.due_at
        for head in heads()
        if head.is_due(now)
        and (tenant_id is None or head.tenant_id == tenant_id)
        and (aliases is None or head.provider in aliases)
        and head.tenant_id not in without
    )
    return min(due, default=None)


def _seconds_since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else int((now - moment).total_seconds())


def why_stuck(now: datetime, *, after: timedelta) -> str:
    """Return the reason, as a sentence, why sending is stuck; ``""`` if it is not.

    An open breaker, a hold, a stopped tenant, and a long queue that is being sent do not count as stuck.
    """
    if (reason := _nothing_can_be_sent(now)) != "":
        return reason
    if _events_wait(now, after):
        return f"Webhook events have waited for more than {int(after.total_seconds())} s."
    batch = conf.schedule().next_due(now - after)
    if batch is not None:
        late = int((now - batch).total_seconds())
        return f"A scheduled broadcast has been due for {late} s and no worker has taken it."
    flowing = [
        account.alias
        for account in registry.accounts()
        if not _breaker_blocks(account, now - after) and holds.current(account, now) is None
    ]
    stopped = stops.stopped(now)
    oldest = _seconds_since(oldest_due(now, aliases=flowing, without=stopped), now)
    if oldest is None or oldest <= after.total_seconds():
        return ""
    if _called_since(now - max(after, _longest_pause(now))):
        return ""
    return f"A text has been due for {oldest} s and no worker has called the provider since."


def _nothing_can_be_sent(now: datetime) -> str:
    """Return why no message can be sent: a failed system check, or tenants that no worker can find."""
    for problem in check_delivery():
        if problem.is_serious():
            return f"Nothing can be sent: {problem.msg}"
    if oldest_due(now) is None or tenants_due(now):
        return ""
    return "Texts are due, and no worker can find the tenants they belong to."


def _breaker_blocks(account: Account, when: datetime) -> bool:
    view = breaker.current(account, when)
    if view.state == BreakerState.OPEN:
        # After that time a working worker sends a probe.
        return view.until is None or view.until >= when
    return view.state == BreakerState.FORCED_OPEN


def _events_wait(now: datetime, after: timedelta) -> bool:
    return WebhookEvent.objects.due(now - after).exists()


def _longest_pause(now: datetime) -> timedelta:
    """Return the longest time between two calls of a worker that a person has slowed."""
    slowest = min(slowdowns.rates(now).values(), default=None)
    # Twice the time of the longest text, because a worker may just have waited for another account.
    return timedelta() if slowest is None else timedelta(seconds=2 * MAX_PARTS / slowest)


def _called_since(when: datetime) -> bool:
    last = Attempt.objects.order_by("-pk").values_list("started_at", flat=True).first()
    calling = Message.objects.watched(Status.SENDING).filter(call_started_at__gte=when)
    return (last is not None and last >= when) or calling.exists()


def queue(tenant_id: Any = None) -> dict[str, int]:
    """Return the number of messages that wait for us or for a person, by status.

    Messages that wait for a worker are counted by the indexes of these alone; dead letters, of which
    there may be many, by the tally.
    """
    due, held = Message.objects.waiting(), Message.objects.watched(_SENDING)
    found: dict[str, int] = tallies.waiting(tenant_id)
    for some in (due, held):
        mine = some if tenant_id is None else some.filter(tenant_id=tenant_id)
        found |= dict(mine.order_by().values_list("status").annotate(Count("pk")))
    return {status.value: found.get(status.value, 0) for status in _QUEUE}


def days(tenant_id: Any, now: datetime, zone: tzinfo) -> list[dict[str, Any]]:
    """Return the counts of the last 30 days by the tally, oldest first, with empty days."""
    first = now.astimezone(zone).date() - timedelta(days=DAYS - 1)
    found = tallies.by_day(datetime.combine(first, time.min, tzinfo=zone), zone, tenant_id)
    nothing = {"sent": 0, "delivered": 0, "failed": 0, "dead": 0}
    dates = [first + timedelta(days=day) for day in range(DAYS)]
    return [{"date": day, **found.get(day, nothing)} for day in dates]
