from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from koinonia.backup import arguments, restored, sqlite_to_postgres
from koinonia.backup.restored import CannotContinueError
from koinonia.backup.sqlite_file import BackupError

_EXAMPLE = """\
Example, with a DATABASE_URL that names an empty PostgreSQL database:

    manage.py migrate
    manage.py copy_sqlite /var/backups/koinonia-2026-11-30.sqlite3 --send-waiting
"""


class Command(BaseCommand):
    help = (
        "Copies a backup of the SQLite database into an empty PostgreSQL database of the same release, "
        "and does what manage.py after_restore does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_arguments(parser, example=_EXAMPLE)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored.check()
            for sentence in sqlite_to_postgres.copy(options["file"]):
                self.stdout.write(sentence)
        except (BackupError, CannotContinueError) as error:
            raise CommandError(str(error)) from None
        call_command("after_restore", send_waiting=options["send_waiting"], stdout=self.stdout)
