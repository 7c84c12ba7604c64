from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

import realtime.log
from httpopt.versions import counters

_EXAMPLE = """\
Example, after a database came back from its backup and before the web processes start:

    manage.py begin_epoch
"""


class Command(BaseCommand):
    help = (
        "Makes clients forget the positions and ETags that they hold. After a restore the numbers "
        "have gone back, and would be given a second time for other things."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            streams = realtime.log.begin_epochs()
            counters.begin_epoch(anew=True)
        self.stdout.write(f"{streams} event streams and all ETags begin a new epoch.")
