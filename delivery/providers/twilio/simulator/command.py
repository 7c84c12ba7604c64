"""``manage.py simulator twilio``: runs the Twilio simulator until TERM or Ctrl-C."""

from __future__ import annotations

from typing import Any, ClassVar

from delivery.providers.simulator.command import SimulatorCommand, State
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.twilio.simulator import Credentials, Options, TwilioSimulator
from delivery.providers.twilio.simulator.faults import table

_KEPT = ("account_sid", "auth_token", "api_key", "api_secret")
_EPILOG = f"""\
Example; in another window the next text is created, and its answer lost:

  manage.py simulator twilio --webhook-url http://127.0.0.1:8000/webhooks/twilio/
  curl -d '{{"fault": "drop"}}' $CONTROL/faults
  curl -d '{{"from": "+13125550002", "to": "+13125550100", "text": "Hello"}}' $CONTROL/inbound
  curl $CONTROL/ledger/summary

It prints CONTROL and the values for TWILIO_API_BASE, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY
and TWILIO_API_SECRET, and writes them to twilio-simulator.json. Options, all faults by name: curl $CONTROL/

Magic numbers:

{table()}
"""


class TwilioState(State):
    file_name: ClassVar[str] = "twilio-simulator.json"

    def credentials(self) -> Credentials:
        """Return the credentials of the last run, or new ones."""
        kept = self.file.read()
        return Credentials(**{name: str(kept[name]) for name in _KEPT if name in kept})

    def write(self, simulator: TwilioSimulator) -> str:
        credentials = {name: getattr(simulator.credentials, name) for name in _KEPT}
        return self.file.write(
            {"base": simulator.base, **credentials, "control": simulator.control}
        )


class Command(SimulatorCommand):
    help = "A Twilio Messaging server for development and tests: no account, no cost, any fault."
    epilog: ClassVar[str] = _EPILOG
    alias: ClassVar[str] = "twilio"
    default_port: ClassVar[int] = 8901
    state: ClassVar[type[State]] = TwilioState

    def simulator(
        self, options: dict[str, Any], state: TwilioState, control_port: int
    ) -> TwilioSimulator:
        return TwilioSimulator(
            options["host"],
            options["port"],
            control_port=control_port,
            credentials=state.credentials(),
            options=Options(
                rate=options["rate"],
                latency_ms=options["latency_ms"],
                webhook_url=options["webhook_url"],
            ),
            numbers=OwnNumbers(options["number"]),
        )
