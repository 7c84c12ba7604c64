from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from koinonia.backup import sqlite_file
from koinonia.backup.sqlite_file import BackupError

_EXAMPLE = """\
Example, while the system runs:

    manage.py backup /var/backups/koinonia-2026-11-30.sqlite3

It copies the database alone: docs/operations/backup.md lists what else to keep, such as SECRET_KEY.
"""


class Command(BaseCommand):
    help = "Copies the SQLite database into a file, while web and worker run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("file", type=Path, help="the new file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            size = sqlite_file.save(options["file"].absolute())
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['file']} is complete ({size} bytes).")
