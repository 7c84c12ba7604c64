from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from httpopt.versions import triggers
from koinonia.database.phases import PatientExecutor, PreExecutor


class Command(migrate.Command):
    """Django's command, which waits a short time for each lock, and knows the two phases."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--pre",
            action="store_true",
            help="Only what processes of the release before can run beside. When these have ended, "
            "run migrate without --pre.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        only_pre = options.pop("pre", False)
        # Django's command makes its executor by this name.
        names = vars(migrate)
        original = names["MigrationExecutor"]
        names["MigrationExecutor"] = PreExecutor if only_pre else PatientExecutor
        try:
            with triggers.keep_undeclared() if only_pre else nullcontext():
                super().handle(*args, **options)
        finally:
            names["MigrationExecutor"] = original
