from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from delivery.conf import account
from delivery.limits import breaker, holds
from delivery.models import BreakerState, BreakerTransition

_SHOWN = 10


class Command(BaseCommand):
    help = (
        "Show or order the circuit breaker. 'open' stops all sending and 'close' lets all through, "
        "until 'auto' gives the breaker back its own judgement. 'close' and 'auto' also end the "
        "hold after a 401, 402 or 403. Example: manage.py breaker open --reason 'Telnyx incident'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["show", "open", "close", "auto"])
        parser.add_argument(
            "--reason", default="ordered by manage.py breaker", help="kept with the transition"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["action"] == "open":
            breaker.force(BreakerState.FORCED_OPEN, by=None, reason=options["reason"], now=now)
        elif options["action"] == "close":
            breaker.force(BreakerState.FORCED_CLOSED, by=None, reason=options["reason"], now=now)
        elif options["action"] == "auto":
            breaker.release(by=None, now=now)
        if options["action"] in {"close", "auto"} and holds.end(by="manage.py breaker", now=now):
            self.stdout.write("The hold is ended.")
        self._show(now)

    def _show(self, now: datetime) -> None:
        view = breaker.current(now)
        until = f" until {view.until:%Y-%m-%d %H:%M:%S} UTC" if view.until else ""
        self.stdout.write(f"Breaker: {view.state}{until}")
        hold = holds.current(now)
        if hold is not None:
            self.stdout.write(
                f"Held since {hold.since:%Y-%m-%d %H:%M:%S} UTC: {hold.code} {hold.title}"
            )
        for moved in BreakerTransition.objects.filter(account=account())[:_SHOWN]:
            self.stdout.write(
                f"  {moved.at:%Y-%m-%d %H:%M:%S}  {moved.before} -> {moved.after}: {moved.reason}"
            )
