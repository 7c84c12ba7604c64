#!/usr/bin/env python
"""Koinonia's command line: ``python manage.py up`` runs the whole system."""

from __future__ import annotations

import os
import sys

# What looks at the code or the database alone, and `up`, which makes what the others need.
_NEED_NOTHING = frozenset({
    "after_restore", "backup", "check", "collectstatic", "diffsettings", "findstatic", "help",
    "makemigrations", "migrate", "restore", "showmigrations", "simulator", "spectacular",
    "sqlmigrate", "telnyx_simulator", "test", "up", "version",
})  # fmt: skip
_SEND = frozenset({"worker"})
# Commands that answer or send: their statements have limits (koinonia.database.postgresql.session_limits).
_SERVE = frozenset({"worker", "runserver"})
# What looks at no data, and `up`, which has a --data-dir.
_LEAVE_THE_DATA_ALONE = frozenset({"help", "version", "up"})
# What writes source files, for others to read.
_WRITE_SOURCES = frozenset({
    "compilemessages", "makemessages", "makemigrations", "spectacular", "startapp", "startproject",
})  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    from django.core.management import execute_from_command_line

    _keep_data_private(sys.argv[1:])
    _exit_if_values_are_missing(sys.argv[1:])
    if not _SERVE & set(sys.argv[1:2]):
        from koinonia.database.postgresql import session_limits

        session_limits.lift()
    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        if sentence := _outage(error):
            sys.stderr.write(f"{sentence}\n")
            raise SystemExit(2) from None
        raise


def _outage(error: Exception) -> str:
    """Return one sentence if the database is away, else nothing."""
    from django.db.utils import Error

    if not isinstance(error, Error):
        return ""
    from koinonia.database import outage

    found = outage.outage_of(error)
    return f"The database {found}: {' '.join(str(error).split())}" if found else ""


def _keep_data_private(arguments: list[str]) -> None:
    from koinonia.config import private_data

    command = arguments[0] if arguments else "help"
    if command not in _WRITE_SOURCES:
        private_data.keep_new_files_private()
    if command in _LEAVE_THE_DATA_ALONE or {"-h", "--help", "--version"} & set(arguments):
        return
    from koinonia import settings

    try:
        if private_data.prepare(settings.ENV.data_dir):
            sys.stderr.write(f"{settings.ENV.data_dir} was open to others; it is closed now.\n")
    except private_data.OpenDataDirError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    except OSError:
        pass  # It cannot be made: a command that needs it says so by itself.


def _exit_if_values_are_missing(arguments: list[str]) -> None:
    command = arguments[0] if arguments else "help"
    asks_for_help = {"-h", "--help", "--version"} & set(arguments)
    if command in _NEED_NOTHING or asks_for_help:
        return
    from koinonia import settings
    from koinonia.config import environment

    environment.exit_if_missing(settings.ENV, to_send=command in _SEND)


if __name__ == "__main__":
    main()
