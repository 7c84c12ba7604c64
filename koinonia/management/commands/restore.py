from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from koinonia.backup import arguments, sqlite_file
from koinonia.backup.sqlite_file import BackupError
from koinonia.up.data_dir import DataDir, DataDirInUseError

_EXAMPLE = """\
Example, after `up`, web and worker have stopped:

    manage.py restore /var/backups/koinonia-2026-11-30.sqlite3

The old database stays beside the new one, as koinonia.sqlite3.before-restore-….
"""


class Command(BaseCommand):
    help = (
        "Replaces the SQLite database by a backup, migrates it, and holds the texts that may have been "
        "sent after the backup. Refuses while any process uses the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_arguments(parser, example=_EXAMPLE)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with DataDir(settings.ENV.data_dir).held():
                old = sqlite_file.swap(options["file"].absolute(), timezone.now())
                if old is not None:
                    self.stdout.write(f"The database before the restore is {old}.")
                call_command("migrate", interactive=False, verbosity=0)
                call_command(
                    "after_restore", send_waiting=options["send_waiting"], stdout=self.stdout
                )
        except (BackupError, DataDirInUseError, OSError) as error:
            raise CommandError(str(error)) from None
