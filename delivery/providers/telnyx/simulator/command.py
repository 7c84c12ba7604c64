"""``manage.py simulator telnyx``: runs the Telnyx simulator until TERM or Ctrl-C."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from delivery.providers.simulator.command import SimulatorCommand
from delivery.providers.simulator.command import State as AnyState
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.telnyx.simulator import Options, TelnyxSimulator
from delivery.providers.telnyx.simulator.numbers import table
from delivery.providers.telnyx.simulator.options import Keys
from delivery.providers.telnyx.simulator.registration import is_a_tenants
from delivery.providers.telnyx.simulator.state import State

_EPILOG = f"""\
Example: five times 503, then as before; run the commands in another window:

  manage.py simulator telnyx --port 8900 --webhook-url http://127.0.0.1:8000/webhooks/telnyx/
  curl -d '{{"fault": "503", "count": 5}}' $CONTROL/faults
  curl -d '{{"from": "+13125550002", "to": "+13125550100", "text": "Hello"}}' $CONTROL/inbound
  curl $CONTROL/ledger/summary

It prints CONTROL and writes it to simulator.json. Settings, all faults by name: curl $CONTROL/

Texts to these numbers meet a fault, every time (the last ones recover):

{table()}
"""


class Command(SimulatorCommand):
    help = "A Telnyx v2 Messaging server for development and tests: no account, no cost, any fault."
    epilog: ClassVar[str] = _EPILOG
    alias: ClassVar[str] = "telnyx"
    default_port: ClassVar[int] = 8900
    state: ClassVar[type[AnyState]] = State

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--api-key", help="default: the last key, or a new one")
        parser.add_argument(
            "--numbers-of-tenants",
            action="store_true",
            help="the account has the numbers that this project's tenants text from",
        )
        parser.add_argument("--webhook-failover-url", default="")

    def simulator(
        self, options: dict[str, Any], state: State, control_port: int
    ) -> TelnyxSimulator:
        keys = state.keys()
        if options["api_key"]:
            keys = Keys(options["api_key"], keys.private_key)
        look_up = is_a_tenants if options["numbers_of_tenants"] else None
        return TelnyxSimulator(
            options["host"],
            options["port"],
            control_port=control_port,
            keys=keys,
            options=Options(
                rate=options["rate"],
                latency_ms=options["latency_ms"],
                webhook_url=options["webhook_url"],
                webhook_failover_url=options["webhook_failover_url"],
            ),
            numbers=OwnNumbers(options["number"], look_up),
        )
