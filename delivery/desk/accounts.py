"""The provider accounts on the support desk: breaker, hold, pace and history of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery import conf
from delivery.limits import breaker, holds
from delivery.models import AccountHold, BreakerState, BreakerTransition
from delivery.providers import registry
from delivery.providers.base import Account

_SHOWN = 5
"""Changes of a breaker that the page shows."""


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

    @property
    def alias(self) -> str:
        return self.account.alias

    @property
    def tone(self) -> str:
        """Return ``good`` while calls flow, ``bad`` while none does, else ``warn``."""
        if self.hold is not None or self.breaker.state == BreakerState.FORCED_OPEN:
            return "bad"
        if self.breaker.state == BreakerState.CLOSED:
            return "good"
        return "bad" if self.breaker.state == BreakerState.OPEN else "warn"

    @property
    def word(self) -> str:
        """Return the state in one or two words."""
        if self.hold is not None:
            return "held"
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


_WORDS = {
    BreakerState.CLOSED: "sending",
    BreakerState.OPEN: "failing",
    BreakerState.HALF_OPEN: "being tried",
    BreakerState.FORCED_OPEN: "stopped",
    BreakerState.FORCED_CLOSED: "forced through",
}


def accounts(now: datetime) -> list[AccountView]:
    """Return the configured accounts. Four queries for each."""
    return [_view(account, now) for account in registry.accounts()]


def _view(account: Account, now: datetime) -> AccountView:
    moved = BreakerTransition.objects.filter(account=account.name).select_related("by")
    return AccountView(
        account=account,
        name=registry.get(account.alias).name,
        breaker=breaker.current(account, now),
        hold=holds.current(account, now),
        history=list(moved[:_SHOWN]),
        account_rate=conf.account_rate(account.alias),
        sender_rate=conf.sender_rate(account.alias),
    )
