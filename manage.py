#!/usr/bin/env python
"""Koinonia's command line: ``python manage.py up`` runs the whole system."""

from __future__ import annotations

import os
import sys

# What looks at the code or the database alone, and `up`, which makes what the others need.
_NEED_NOTHING = frozenset({
    "check", "collectstatic", "diffsettings", "findstatic", "help", "makemigrations", "migrate",
    "showmigrations", "spectacular", "sqlmigrate", "telnyx_simulator", "test", "up", "version",
})  # fmt: skip
_SEND = frozenset({"worker"})


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    from django.core.management import execute_from_command_line

    _exit_if_values_are_missing(sys.argv[1:])
    execute_from_command_line(sys.argv)


def _exit_if_values_are_missing(arguments: list[str]) -> None:
    command = arguments[0] if arguments else "help"
    asks_for_help = {"-h", "--help", "--version"} & set(arguments)
    if command in _NEED_NOTHING or asks_for_help:
        return
    from koinonia import environment, settings

    environment.exit_if_missing(settings.ENV, to_send=command in _SEND)


if __name__ == "__main__":
    main()
