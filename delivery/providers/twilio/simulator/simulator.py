"""The simulator: an account, its API and its control API, each on a port."""

from __future__ import annotations

from delivery.providers.simulator.lifecycle import Simulator
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.twilio.simulator.account import Account
from delivery.providers.twilio.simulator.api import Api
from delivery.providers.twilio.simulator.faults import FAULTS
from delivery.providers.twilio.simulator.options import Credentials, Options


class TwilioSimulator(Simulator):
    """``with TwilioSimulator() as twilio: requests.post(f"{twilio.base}/2010-04-01/…")``."""

    account: Account

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        control_port: int = 0,
        credentials: Credentials | None = None,
        options: Options | None = None,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        account = Account(
            credentials or Credentials(), options or Options(), ledger_capacity, numbers
        )
        super().__init__(
            account, Api(account), FAULTS, host=host, port=port, control_port=control_port
        )

    @property
    def base(self) -> str:
        """Return the value for TWILIO_API_BASE."""
        return self.origin

    @property
    def credentials(self) -> Credentials:
        return self.account.credentials
