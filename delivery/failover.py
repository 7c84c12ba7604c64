"""Move waiting texts to a tenant's second number while the provider of the first one is down.

Only a text that was never tried moves: its bytes are not frozen, and no call for it can have reached
a provider. A text with a call behind it keeps its account, because the other provider cannot know
whether the first one took the text: moving it risks a double send.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from delivery import conf
from delivery.changes import message_changes
from delivery.limits import breaker, holds
from delivery.models import Message
from delivery.providers import registry
from delivery.providers.base import Account
from delivery.queue.turns import tenants_due
from delivery.senders import Sender, senders_by_key
from delivery.statuses import Status

logger = logging.getLogger("delivery")

_MOVED_FIELDS = ("provider", "from_number", "updated_at")
_MOVABLE = (Status.SCHEDULED, Status.QUEUED)
_FEWEST_AHEAD = 20
_SECONDS_AHEAD = 5
"""So much work waits at the second number; the other texts return when the first provider does."""


def move_waiting(now: datetime) -> int:
    """Move texts off the accounts that have been down for ``FAILOVER_AFTER``; return how many."""
    accounts = registry.accounts()
    if len(accounts) < 2:
        return 0
    down = {account.alias for account in accounts if _is_down(account, now)}
    return sum(_move_from(alias, down, now) for alias in sorted(down))


def _is_down(account: Account, now: datetime) -> bool:
    since = breaker.failing_since(account, now)
    return since is not None and since <= now - timedelta(seconds=conf.failover_after())


def _move_from(alias: str, down: set[str], now: datetime) -> int:
    moved = 0
    for tenant_id in dict.fromkeys(tenants_due(now, [alias])):
        first, *others = senders_by_key(tenant_id) or [Sender("", "")]
        second = next((sender for sender in others if _can_send(sender, down, now)), None)
        if first.provider == alias and second is not None:
            moved += _move(tenant_id, alias, second, now)
    return moved


def _can_send(sender: Sender, down: set[str], now: datetime) -> bool:
    if sender.provider in down or sender.provider not in registry.aliases():
        return False
    account = registry.account(sender.provider)
    return breaker.failing_since(account, now) is None and holds.current(account, now) is None


def _move(tenant_id: Any, alias: str, second: Sender, now: datetime) -> int:
    places = _places(tenant_id, second, now)
    if not places:
        return 0
    with message_changes(now):
        untried = Message.objects.due(now).filter(
            tenant=tenant_id, provider=alias, status__in=_MOVABLE, calls=0, ambiguous=False
        )  # fmt: skip
        rows: Sequence[Message] = list(untried.locked(skip_locked=True)[:places])
        for row in rows:
            row.provider, row.from_number = second.provider, second.number
            row.updated_at = now
        if rows:
            Message.objects.all().write(rows, _MOVED_FIELDS)
    if rows:
        logger.warning(
            "Texts go out from the second number: the first provider does not answer",
            extra={
                "action": "failover",
                "tenant": tenant_id,
                "provider": second.provider,
                "texts": len(rows),
            },
        )
    return len(rows)


def _places(tenant_id: Any, second: Sender, now: datetime) -> int:
    """Return how many more texts may wait at the second number."""
    rate = conf.sender_rate(second.provider)
    most = _FEWEST_AHEAD if rate is None else max(_FEWEST_AHEAD, int(rate * _SECONDS_AHEAD))
    waiting = Message.objects.due(now).filter(tenant=tenant_id, provider=second.provider)
    return max(0, most - waiting[:most].count())
