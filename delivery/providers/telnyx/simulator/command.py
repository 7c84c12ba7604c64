"""The command that runs the Telnyx simulator until TERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery import conf
from delivery.providers.telnyx.simulator import Options, TelnyxSimulator
from delivery.providers.telnyx.simulator.keys import Keys
from delivery.providers.telnyx.simulator.numbers import table
from delivery.providers.telnyx.simulator.own_numbers import OwnNumbers
from delivery.providers.telnyx.simulator.registration import is_a_tenants
from delivery.providers.telnyx.simulator.state import State

_EPILOG = """\
Example: five times no service, then as ever; all in another window:

  manage.py simulator telnyx --port 8900 --webhook-url http://127.0.0.1:8000/webhooks/telnyx/
  curl -d '{{"fault": "503", "count": 5}}' $CONTROL/faults
  curl -d '{{"from": "+13125550002", "to": "+13125550100", "text": "Hello"}}' $CONTROL/inbound
  curl $CONTROL/ledger/summary

It prints CONTROL and writes it to simulator.json. Settings, all faults by name: curl $CONTROL/

Texts to these numbers meet a fault, every time (the last ones recover):

{table}
"""


class Command(BaseCommand):
    help = "A Telnyx v2 Messaging server for development and tests: no account, no cost, any fault."
    requires_system_checks = ()
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=_EPILOG.format(table=table()).replace("%", "%%"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_port, default=8900)
        parser.add_argument("--control-port", type=_port, help="default: the last one, or any")
        parser.add_argument(
            "--data-dir",
            type=Path,
            default=Path(os.environ.get("DATA_DIR", "var")),
            help="where simulator.json is (default: DATA_DIR, or var)",
        )
        parser.add_argument("--api-key", help="default: the last one, or a new one")
        parser.add_argument(
            "--number",
            action="append",
            default=[],
            help="a sending number of the account; repeat it. Another 'from' is then refused (40305)",
        )
        parser.add_argument(
            "--numbers-of-tenants",
            action="store_true",
            help="the account has the numbers that this project's tenants text from",
        )
        parser.add_argument(
            "--webhook-url",
            default=_own_webhook(),
            help="the messaging profile's URL (default: this project's: %(default)s)",
        )
        parser.add_argument("--webhook-failover-url", default="")
        parser.add_argument(
            "--rate",
            type=_positive,
            default=Options.rate,
            help="parts/s of one number (%(default)s)",
        )
        parser.add_argument(
            "--latency-ms", type=_not_negative, default=0, help="of each POST (%(default)s)"
        )

    def handle(self, **options: Any) -> None:
        state = State.in_directory(options["data_dir"])
        simulator = self._simulator(state, options)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        with simulator:
            self.stdout.write(state.write(simulator))
            self.stdout.flush()
            stopping.wait()

    def _simulator(self, state: State, options: dict[str, Any]) -> TelnyxSimulator:
        keys = state.keys()
        if options["api_key"]:
            keys = Keys(options["api_key"], keys.private_key)
        turned = Options(
            rate=options["rate"],
            latency_ms=options["latency_ms"],
            webhook_url=options["webhook_url"],
            webhook_failover_url=options["webhook_failover_url"],
        )
        asked = options["control_port"]
        ports = [state.control_port(), 0] if asked is None else [asked]
        look_up = is_a_tenants if options["numbers_of_tenants"] else None
        numbers = OwnNumbers(options["number"], look_up)
        return self._on_a_port(ports, options["host"], options["port"], keys, turned, numbers)

    def _on_a_port(
        self,
        control_ports: list[int],
        host: str,
        port: int,
        keys: Keys,
        options: Options,
        numbers: OwnNumbers,
    ) -> TelnyxSimulator:
        """Start on a control port.

        The port of the last run is optional; a port from the command line is required.
        """
        for control_port in control_ports:
            try:
                return TelnyxSimulator(
                    host,
                    port,
                    control_port=control_port,
                    keys=keys,
                    options=options,
                    numbers=numbers,
                )
            except OSError as error:
                problem = error
        raise CommandError(f"Cannot listen on {host}:{port}: {problem.strerror}.")


def _own_webhook() -> str:
    """Return the URL of this project's webhooks; empty without a public URL."""
    return f"{conf.public_url()}/webhooks/telnyx/" if conf.public_url() else ""


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535; 0: any).")
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
        raise argparse.ArgumentTypeError(f"{text!r} is no number.") from error
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 or more.")
    return value
