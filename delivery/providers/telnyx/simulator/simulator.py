"""The simulator: an account, its API and its control API, each on a port."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from delivery.providers.telnyx.simulator.account import Account
from delivery.providers.telnyx.simulator.api import Api
from delivery.providers.telnyx.simulator.control import Control
from delivery.providers.telnyx.simulator.keys import Keys
from delivery.providers.telnyx.simulator.ledger import Ledger
from delivery.providers.telnyx.simulator.options import Options
from delivery.providers.telnyx.simulator.own_numbers import OwnNumbers
from delivery.providers.telnyx.simulator.server import Server


class TelnyxSimulator:
    """``with TelnyxSimulator() as telnyx: Telnyx(base_url=telnyx.base, api_key=telnyx.api_key)``.

    Port 0 means any free port. The control API has a separate port, so that it answers during an
    outage that refuses connections.
    """

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
        self._host = host
        self.account = Account(keys or Keys(), options or Options(), ledger_capacity, numbers)
        self.api = Api(self.account)
        self._server = self._open(port)
        self._port = self._server.port
        try:
            self._control = Server(host, control_port, Control(self.account, self).answer)
        except OSError:
            self._server.server_close()
            raise
        self._refusing = False

    @property
    def base(self) -> str:
        return f"http://{self._host}:{self._port}/v2"

    @property
    def control(self) -> str:
        return f"http://{self._host}:{self._control.port}"

    @property
    def control_port(self) -> int:
        return self._control.port

    @property
    def api_key(self) -> str:
        return self.account.keys.api_key

    @property
    def public_key(self) -> str:
        return self.account.keys.public_key

    @property
    def ledger(self) -> Ledger:
        return self.account.ledger

    def start(self) -> None:
        self.account.start()
        self._server.start()
        self._control.start()

    def stop(self) -> None:
        self._control.stop()
        if not self._refusing:
            self._server.stop()
        self.account.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start_outage(self, mode: str = "refuse") -> None:
        """Start an outage.

        ``refuse``: no socket listens. ``503``: every request. ``close``: accept, then reset.
        """
        self.end_outage()
        if mode == "refuse":
            self._refusing = True
            self._server.stop()
        else:
            self.api.outage = mode

    def end_outage(self) -> None:
        self.api.outage = None
        if self._refusing:
            self._server = self._open(self._port)
            self._server.start()
            self._refusing = False

    def reset(self) -> None:
        """Reset to the initial state; addresses and keys stay."""
        self.end_outage()
        self.account.reset()

    def _open(self, port: int) -> Server:
        return Server(self._host, port, self.api.answer, self.api.refuses_connection)
