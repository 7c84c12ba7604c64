"""The two servers of a simulator: start, stop, outage, reset."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from delivery.providers.simulator.account import Account
from delivery.providers.simulator.api import Api
from delivery.providers.simulator.control import Control
from delivery.providers.simulator.faults import FaultTable
from delivery.providers.simulator.ledger import Ledger
from delivery.providers.simulator.server import Server


class Simulator:
    """An account, its API and its control API. Port 0 picks a free port.

    The control API has a separate port, so that it answers while the API refuses connections.
    """

    control_api: type[Control] = Control

    def __init__(
        self,
        account: Account,
        api: Api,
        faults: FaultTable,
        *,
        host: str,
        port: int,
        control_port: int,
    ) -> None:
        self.account = account
        self._host, self._api = host, api
        self._server = self._open(port)
        self._port = self._server.port
        try:
            self._control = Server(
                host, control_port, self.control_api(account, self, faults).answer
            )
        except OSError:
            self._server.server_close()
            raise
        self._refusing = False

    @property
    def origin(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def control(self) -> str:
        return f"http://{self._host}:{self._control.port}"

    @property
    def control_port(self) -> int:
        return self._control.port

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
        """Start an outage: ``refuse`` stops listening, ``503`` answers so, ``close`` resets."""
        self.end_outage()
        if mode == "refuse":
            self._refusing = True
            self._server.stop()
        else:
            self._api.outage = mode

    def end_outage(self) -> None:
        self._api.outage = None
        if self._refusing:
            self._server = self._open(self._port)
            self._server.start()
            self._refusing = False

    def reset(self) -> None:
        """Restore the state of a fresh start; the addresses and the keys stay."""
        self.end_outage()
        self.account.reset()

    def _open(self, port: int) -> Server:
        return Server(self._host, port, self._api.answer, self._api.refuses_connection)
