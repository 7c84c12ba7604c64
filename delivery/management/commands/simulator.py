"""``manage.py simulator KIND …``: runs the simulator of one provider until TERM or Ctrl-C."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery import providers


def kinds() -> list[str]:
    """Return the providers with a simulator: each has ``simulator/command.py`` with a Command."""
    folders = Path(providers.__file__).parent.glob("*/simulator/command.py")
    return sorted(path.parts[-3] for path in folders)


def command(kind: str) -> BaseCommand:
    found: BaseCommand = import_module(f"delivery.providers.{kind}.simulator.command").Command()
    return found


class Command(BaseCommand):
    help = "Run the simulator of a provider: no account, no cost, any fault."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=kinds())

    def run_from_argv(self, argv: list[str]) -> None:
        if len(argv) > 2 and argv[2] in kinds():
            # The provider's command has arguments and a help page of its own.
            command(argv[2]).run_from_argv([argv[0], f"{argv[1]} {argv[2]}", *argv[3:]])
        else:
            super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(f"Run it as: {sys.argv[0]} simulator {options['kind']}")
