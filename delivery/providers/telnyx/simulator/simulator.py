"""The simulator: an account, its API and its control API, each on a port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from delivery.providers.simulator.control import Control
from delivery.providers.simulator.lifecycle import Simulator
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.telnyx.simulator.account import Account
from delivery.providers.telnyx.simulator.api import Api
from delivery.providers.telnyx.simulator.faults import FAULTS
from delivery.providers.telnyx.simulator.options import Keys, Options


class TelnyxControl(Control):
    webhook_options: ClassVar[Mapping[str, str]] = {
        **Control.webhook_options,
        "failover_url": "webhook_failover_url",
    }


class TelnyxSimulator(Simulator):
    """``with TelnyxSimulator() as telnyx: Telnyx(base_url=telnyx.base, api_key=telnyx.api_key)``."""

    account: Account
    control_api = TelnyxControl

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        control_port: int = 0,
        keys: Keys | None = None,
        options: Options | None = None,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        account = Account(keys or Keys(), options or Options(), ledger_capacity, numbers)
        super().__init__(
            account, Api(account), FAULTS, host=host, port=port, control_port=control_port
        )

    @property
    def base(self) -> str:
        return f"{self.origin}/v2"

    @property
    def api_key(self) -> str:
        return self.account.keys.api_key

    @property
    def public_key(self) -> str:
        return self.account.keys.public_key
