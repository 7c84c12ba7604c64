"""The provider accounts on the support desk: breaker, hold, pace, slowdowns and history of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery import conf
from delivery.limits import breaker, holds, slowdowns
from delivery.models import AccountHold, BreakerState, BreakerTransition, Slowdown
from delivery.providers import registry
from delivery.providers.base import Account

_SHOWN = 5
"""Changes of a breaker, and slowdowns, that the page shows of an account."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """The present limits of one account, for a page."""

    account: Account
    name: str
    """The name of the provider."""
    breaker: breaker.View
    hold: AccountHold | None
    history: list[BreakerTransition]
    """The last changes, the newest first."""
    account_rate: float | None
    sender_rate: float | None
    slowed: list[Slowdown]
    """The slowdowns of the account and of its numbers, at most a few."""
    more_slowed: bool

    @property
    def alias(self) -> str:
        return self.account.alias

    @property
    def tone(self) -> str:
        """Return ``good`` while calls flow, ``bad`` while none does, else ``warn``."""
        if self.hold is not None or self.breaker.state == BreakerState.FORCED_OPEN:
            return "bad"
        if self.breaker.state == BreakerState.CLOSED:
            return "warn" if self.is_slowed else "good"
        return "bad" if self.breaker.state == BreakerState.OPEN else "warn"

    @property
    def word(self) -> str:
        """Return the state in one or two words."""
        if self.hold is not None:
            return "held"
        if self.is_slowed and self.breaker.state == BreakerState.CLOSED:
            return "slowed"
        return _WORDS[self.breaker.state]

    @property
    def sentence(self) -> str:
        """Return the state as a sentence."""
        if self.hold is not None:
            end = " or until it expires by itself" if self.hold.until else ""
            return (
                f"{self.name} does not accept our texts (code {self.hold.code}: {self.hold.title}). "
                f"Nothing is sent until a person ends the hold{end}."
            )
        order = self.breaker.order
        if order is not None:
            who = order.by.get_username() if order.by else "The operator"
            did = (
                "stopped all calls"
                if self.breaker.state == BreakerState.FORCED_OPEN
                else "lets all calls through, even if they fail"
            )
            return f"{who} {did}: {order.reason.rstrip('.') or 'no reason was given'}."
        if self.breaker.state == BreakerState.OPEN:
            return f"{self.name} is failing. Texts wait, then one is tried."
        if self.breaker.state == BreakerState.HALF_OPEN:
            return f"{self.name} was failing. One text at a time is tried."
        return f"Calls to {self.name} go through."

    @property
    def is_slowed(self) -> bool:
        """Tell whether a person has slowed the whole account."""
        return any(not one.sender for one in self.slowed)


_WORDS = {
    BreakerState.CLOSED: "sending",
    BreakerState.OPEN: "failing",
    BreakerState.HALF_OPEN: "being tried",
    BreakerState.FORCED_OPEN: "stopped",
    BreakerState.FORCED_CLOSED: "forced through",
}


def accounts(now: datetime) -> list[AccountView]:
    """Return the configured accounts. Four queries for each, and one."""
    slowed = list(slowdowns.standing(now).select_related("by")[: slowdowns.MOST])
    return [
        _view(account, [row for row in slowed if row.account == account.name], now)
        for account in registry.accounts()
    ]


def _view(account: Account, slowed: list[Slowdown], now: datetime) -> AccountView:
    moved = BreakerTransition.objects.filter(account=account.name).select_related("by")
    return AccountView(
        account=account,
        name=registry.get(account.alias).name,
        breaker=breaker.current(account, now),
        hold=holds.current(account, now),
        history=list(moved[:_SHOWN]),
        account_rate=conf.account_rate(account.alias),
        sender_rate=conf.sender_rate(account.alias),
        slowed=sorted(slowed, key=lambda row: row.sender)[:_SHOWN],
        more_slowed=len(slowed) > _SHOWN,
    )
