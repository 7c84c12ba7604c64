from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from koinonia.retention import prune

_EXAMPLE = """\
Examples:

    manage.py prune --dry-run
    manage.py prune
"""


class Command(BaseCommand):
    help = (
        "Deletes old rows: applied webhook events, events of the log, tickets, tokens, sessions, "
        "invitations and idempotent answers; texts and audit rows only if KEEP_TEXTS_DAYS, the days "
        "of a church, or KEEP_AUDIT_DAYS say so. A worker does the same at night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument(
            "--dry-run", action="store_true", help="count the rows without deleting them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        verb = "would be deleted" if dry_run else "deleted"
        for name, count in prune(timezone.now(), dry_run=dry_run):
            self.stdout.write(f"{name.replace('_', ' '):<20} {count:>8} {verb}")
