"""The management command that runs a simulator, and the file that tells others where it runs."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery import conf
from delivery.providers.simulator.lifecycle import Simulator


class KeptFile:
    """JSON that outlives a restart, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """Return the object in the file; empty if the file is missing or broken."""
        try:
            found = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, values: dict[str, Any]) -> str:
        """Replace the file as a whole and return its text: a reader never sees a part."""
        text = json.dumps(values, indent=2)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
        part.replace(self.path)
        return text


class State(ABC):
    """The files of one simulator in ``--data-dir``, which outlive a restart."""

    file_name: ClassVar[str]
    """The file with the values that clients need, ``control`` among them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = KeptFile(directory / self.file_name)

    def control_port(self) -> int:
        """Return the control port of the last run, or 0: any."""
        try:
            return urlsplit(str(self.file.read().get("control", ""))).port or 0
        except ValueError:
            return 0

    @abstractmethod
    def write(self, simulator: Any) -> str:
        """Keep the simulator's values; return the JSON for clients."""


class SimulatorCommand(BaseCommand):
    """Runs a simulator until TERM or Ctrl-C. A subclass builds it."""

    requires_system_checks = ()
    requires_migrations_checks = False
    epilog: ClassVar[str]
    alias: ClassVar[str]
    """The provider's alias, for the default webhook URL."""
    default_port: ClassVar[int]
    state: ClassVar[type[State]]

    @abstractmethod
    def simulator(self, options: dict[str, Any], state: Any, control_port: int) -> Simulator:
        """Return the simulator, with the secrets that an earlier run has left in ``state``."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=self.epilog.replace("%", "%%"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_port, default=self.default_port)
        parser.add_argument(
            "--control-port", type=_port, help="default: the last port, or any free one"
        )
        parser.add_argument(
            "--data-dir",
            type=Path,
            default=Path(os.environ.get("DATA_DIR", "var")),
            help=f"the folder of {self.state.file_name} (default: DATA_DIR, or var)",
        )
        parser.add_argument(
            "--number",
            action="append",
            default=[],
            help="a sending number of the account; may be repeated. Other senders are then refused",
        )
        parser.add_argument(
            "--webhook-url",
            default=f"{conf.public_url()}/webhooks/{self.alias}/" if conf.public_url() else "",
            help="the URL for inbound texts (default: this project's: %(default)s)",
        )
        parser.add_argument(
            "--rate", type=_positive, default=2000, help="parts/s of one number (%(default)s)"
        )
        parser.add_argument(
            "--latency-ms", type=_not_negative, default=0, help="delay of each POST (%(default)s)"
        )

    def handle(self, **options: Any) -> None:
        state = self.state(options["data_dir"])
        simulator = self._on_a_port(state, options)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        with simulator:
            self.stdout.write(state.write(simulator))
            self.stdout.flush()
            stopping.wait()

    def _on_a_port(self, state: State, options: dict[str, Any]) -> Simulator:
        """Prefer the control port of the last run, but insist on one that was asked for."""
        asked = options["control_port"]
        for control_port in [state.control_port(), 0] if asked is None else [asked]:
            try:
                return self.simulator(options, state, control_port)
            except OSError as error:
                problem = error
        address = f"{options['host']}:{options['port']}"
        raise CommandError(
            f"Cannot listen on {address}: {problem.strerror}. --port takes another one."
        )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535; 0: any).")
    return int(text)


def _positive(text: str) -> float:
    value = _not_negative(text)
    if value == 0:
        raise argparse.ArgumentTypeError("It must be more than 0.")
    return value


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number.") from error
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 or more.")
    return value
