from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from koinonia.backup import restored
from koinonia.backup.restored import CannotContinueError

_EXAMPLE = """\
Example, after pg_restore and before web and worker start:

    manage.py after_restore

Texts that were waiting at the time of the backup may have been sent since. They become "unknown": workers
look them up at the provider, and what the provider does not know is sent by your order:

    manage.py dead_letters list --code restored
    manage.py dead_letters retry --code restored --may-double
"""


class Command(BaseCommand):
    help = (
        "Makes a restored database safe: holds the texts that may have been sent after the backup, "
        "ends sessions, gives new texts fresh ids, and makes clients forget positions and ETags."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument(
            "--send-waiting",
            action="store_true",
            help="hold no text: nothing was sent after the restored moment",
        )
        parser.add_argument(
            "--others-may-run",
            action="store_true",
            help="go on although other connections use the database, such as a psql of yours",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored.check(others_may_run=options["others_may_run"])
        except CannotContinueError as error:
            raise CommandError(str(error)) from None
        for sentence in restored.finish(timezone.now(), hold=not options["send_waiting"]):
            self.stdout.write(sentence)
