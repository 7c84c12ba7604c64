from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

import realtime.log
from httpopt.versions import counters

_EXAMPLE = """\
Example, after the restore of a database backup and before the web processes start:

    manage.py begin_epoch
"""


class Command(BaseCommand):
    help = (
        "Invalidates all stream positions and ETags of clients. After a restore, the counters are "
        "lower than before and would reuse numbers for different data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            streams = realtime.log.begin_epochs()
            counters.begin_epoch(renew=True)
        self.stdout.write(f"{streams} event streams and all ETags begin a new epoch.")
