from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from delivery.status_report import report, why_stuck


class Command(BaseCommand):
    help = (
        "Shows the state of sending: breaker, hold, queue, success rate. "
        "Example: manage.py delivery_status --check || systemctl restart koinonia-worker"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the whole state as JSON")
        parser.add_argument(
            "--check", action="store_true", help="exit with 1 if texts or webhooks are stuck"
        )
        parser.add_argument(
            "--after", type=int, default=60, metavar="SECONDS",
            help="how long due texts may wait without any call before they count as stuck (60)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        stuck = why_stuck(now, after=timedelta(seconds=options["after"]))
        found = report(now=now)
        if options["json"]:
            body = {**found, "stuck": stuck or None}
            self.stdout.write(json.dumps(body, cls=DjangoJSONEncoder, indent=2))
        else:
            self._print(found)
            self.stdout.write(self.style.ERROR(stuck) if stuck else "Nothing is stuck.")
        if options["check"] and stuck:
            sys.exit(1)

    def _print(self, found: dict[str, Any]) -> None:
        queue = ", ".join(f"{count} {status}" for status, count in found["queue"].items() if count)
        oldest = found["oldest_due_seconds"]
        lines = {
            **_limits(found["accounts"]),
            "Queue": queue or "empty",
            "Oldest due": "none" if oldest is None else f"{oldest} s",
            "Success": ", ".join(
                f"{span} {'-' if rate is None else f'{rate:.2%}'}"
                for span, rate in found["success_rate"].items()
            ),
        }
        if found["capped"]:
            lines["Daily cap"] = "texts of " + ", ".join(
                f"{one['tenant']} wait until {one['until']:%Y-%m-%d %H:%M} UTC"
                for one in found["capped"]
            )
        if found["stopped"]:
            names = ", ".join(one["tenant"] for one in found["stopped"])
            lines["Stopped"] = f"{names}, by a person"
        for name, value in lines.items():
            self.stdout.write(f"{name + ':':<12}{value}")


def _limits(accounts: list[dict[str, Any]]) -> dict[str, str]:
    """Return the lines of each account; with its alias where there are several."""
    lines = {}
    for account in accounts:
        of = f" {account['provider']}" if len(accounts) > 1 else ""
        until, hold = account["breaker"]["until"], account["hold"]
        state = account["breaker"]["state"]
        lines[f"Breaker{of}"] = state + (f" until {until:%H:%M:%S} UTC" if until else "")
        since = f"{hold['code']} since {hold['since']:%Y-%m-%d %H:%M} UTC" if hold else "none"
        lines[f"Hold{of}"] = since
    return lines
