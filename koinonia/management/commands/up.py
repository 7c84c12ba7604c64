from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from koinonia.config import private_data
from koinonia.up.data_dir import DataDirInUseError
from koinonia.up.processes import ChildFailedError
from koinonia.up.programs import MAX_SOCKET_PATH, Options, Plan
from koinonia.up.system import PortInUseError, System

_LARGEST_PORT = 65_535


def _port(value: str) -> int:
    number = int(value) if value.isdecimal() else 0
    if not 1 <= number <= _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port: 1 to {_LARGEST_PORT}")
    return number


def _at_least_one(value: str) -> int:
    number = int(value) if value.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of workers: at least 1")
    return number


class Command(BaseCommand):
    help = (
        "Run the whole system on this machine: Valkey, web, worker and Telnyx simulator, on a"
        " migrated database with demo data. Ctrl-C stops everything."
        " Example: manage.py up --port 8080 --workers 2"
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address of the web server")
        parser.add_argument("--port", type=_port, default=8000, help="default 8000")
        parser.add_argument("--simulator-port", type=_port, default=8900, help="default 8900")
        parser.add_argument(
            "--data-dir",
            type=Path,
            default=settings.ENV.data_dir,
            help="the folder of the database, Valkey's files, keys and logs (default: DATA_DIR, or var)",
        )
        parser.add_argument(
            "--workers", type=_at_least_one, default=1, help="worker clusters (default 1)"
        )
        parser.add_argument("--no-demo", action="store_true", help="no demo churches and users")
        parser.add_argument(
            "--no-simulator", action="store_true", help="send through Telnyx (TELNYX_API_KEY)"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        private_data.keep_new_files_private()
        plan = Plan(
            Options(
                host=given["host"],
                port=given["port"],
                simulator_port=given["simulator_port"],
                data_dir=given["data_dir"].absolute(),
                workers=given["workers"],
                demo=not given["no_demo"],
                simulator=not given["no_simulator"],
            )
        )
        _refuse_bad_options(plan)
        system = System(plan, self._say)
        try:
            asyncio.run(system.run())
        except (ChildFailedError, DataDirInUseError, PortInUseError) as error:
            raise CommandError(str(error), returncode=1) from None
        self._say("Stopped.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _refuse_bad_options(plan: Plan) -> None:
    if not plan.options.simulator and not os.environ.get("TELNYX_API_KEY"):
        raise CommandError("--no-simulator needs TELNYX_API_KEY.", returncode=2)
    if plan.embedded_redis and len(os.fsencode(plan.socket)) > MAX_SOCKET_PATH:
        raise CommandError(
            f"{plan.socket} is too long for a unix socket ({MAX_SOCKET_PATH} bytes at most):"
            " choose a shorter --data-dir.",
            returncode=2,
        )
    try:
        if private_data.prepare(plan.options.data_dir):
            sys.stderr.write(f"{plan.options.data_dir} was open to others; it is closed now.\n")
    except private_data.OpenDataDirError as error:
        raise CommandError(str(error), returncode=2) from None
    except OSError as error:
        raise CommandError(
            f"{plan.options.data_dir} cannot be the data directory: {error.strerror}.", returncode=2
        ) from None
