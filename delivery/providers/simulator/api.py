"""The public API of a simulated provider: outages, authentication, refusals."""

from __future__ import annotations

from abc import ABC, abstractmethod

from delivery.providers.simulator.account import Account
from delivery.providers.simulator.server import HANG_UP, Answer, Request


class RefusedError(Exception):
    """The request is refused. A provider's class makes the answer, in the provider's shape."""

    @property
    @abstractmethod
    def answer(self) -> Answer:
        """Return the answer for the client."""


class Api(ABC):
    def __init__(self, account: Account) -> None:
        self._account = account
        self.outage: str | None = None
        """``503``, or ``close`` to reset every connection. None: in service."""

    @abstractmethod
    def unavailable(self) -> Answer:
        """Return the provider's own 503, for an outage."""

    @abstractmethod
    def authenticate(self, request: Request) -> None:
        """Raise :class:`RefusedError` unless the request has the account's key."""

    @abstractmethod
    def route(self, request: Request) -> Answer:
        """Return the answer to an authenticated request. Raises :class:`RefusedError`."""

    def refuses_connection(self) -> bool:
        return self.outage == "close" or self._account.plan.refuses_connection()

    def answer(self, request: Request) -> Answer:
        if request.method == "POST":
            self._account.ledger.request()
        if self.outage is not None:
            return self.unavailable() if self.outage == "503" else HANG_UP
        try:
            self.authenticate(request)
            return self.route(request)
        except RefusedError as error:
            return error.answer
