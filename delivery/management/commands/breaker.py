from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from delivery.limits import breaker, holds
from delivery.models import BreakerState, BreakerTransition
from delivery.providers import registry
from delivery.providers.base import Account

_SHOWN = 10
_FORCED = {"open": BreakerState.FORCED_OPEN, "close": BreakerState.FORCED_CLOSED}


class Command(BaseCommand):
    help = (
        "Show or order the circuit breaker. 'open' stops all sending and 'close' lets all through, "
        "until 'auto' lets the breaker decide again. 'close' and 'auto' also end the "
        "hold after a 401, 402 or 403. Example: manage.py breaker open --reason 'Provider incident'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["show", "open", "close", "auto"])
        parser.add_argument(
            "--provider",
            action="append",
            choices=registry.aliases(),
            help="only this account; may be repeated (default: each configured account)",
        )
        parser.add_argument(
            "--reason", default="ordered by manage.py breaker", help="stored with the transition"
        )

        parser.add_argument(
            "--hours", type=float, help="with open and close: the order ends after so many hours"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        chosen = options["provider"] or registry.aliases()
        for account in map(registry.account, chosen):
            if len(registry.aliases()) > 1:
                self.stdout.write(f"{account.alias} ({account.name})")
            self._order(account, options, now)
            self._show(account, now)

    def _order(self, account: Account, options: dict[str, Any], now: datetime) -> None:
        action, reason, hours = options["action"], options["reason"], options["hours"]
        until = None if hours is None else now + timedelta(hours=hours)
        if action in _FORCED:
            state = _FORCED[action]
            breaker.force(account, state, by=None, reason=reason, until=until, now=now)
        elif action == "auto":
            breaker.release(account, by=None, reason=reason, now=now)
        if action in {"close", "auto"} and holds.end(account, by="manage.py breaker", now=now):
            self.stdout.write("The hold is ended.")

    def _show(self, account: Account, now: datetime) -> None:
        view = breaker.current(account, now)
        until = f" until {view.until:%Y-%m-%d %H:%M:%S} UTC" if view.until else ""
        self.stdout.write(f"Breaker: {view.state}{until}")
        hold = holds.current(account, now)
        if hold is not None:
            self.stdout.write(
                f"Held since {hold.since:%Y-%m-%d %H:%M:%S} UTC: {hold.code} {hold.title}"
            )
        for moved in BreakerTransition.objects.filter(account=account.name)[:_SHOWN]:
            self.stdout.write(
                f"  {moved.at:%Y-%m-%d %H:%M:%S}  {moved.before} -> {moved.after}: {moved.reason}"
            )
