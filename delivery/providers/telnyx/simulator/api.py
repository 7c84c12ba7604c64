"""The public API below ``/v2``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from delivery.providers.simulator import api
from delivery.providers.simulator.server import Answer, Request, json_answer
from delivery.providers.telnyx.simulator.acceptance import Acceptance
from delivery.providers.telnyx.simulator.account import Account
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.records import detail_records, opt_out_records

_SENDING = frozenset(
    f"/v2/messages{kind}"
    for kind in (
        "", "/schedule", "/long_code", "/number_pool", "/short_code", "/alphanumeric_sender_id",
    )
)  # fmt: skip
_LATEST_CANCEL = timedelta(minutes=1)


class Api(api.Api):
    _account: Account

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._acceptance = Acceptance(account)

    def unavailable(self) -> Answer:
        return RefusedError("10037", status=503).answer

    def authenticate(self, request: Request) -> None:
        given = " ".join(request.header_values("Authorization"))
        expected = f"Bearer {self._account.keys.api_key}"
        if not secrets.compare_digest(given.encode(), expected.encode()):
            raise RefusedError("10009", "The API key looks malformed or is not valid.")

    def route(self, request: Request) -> Answer:
        if request.method == "POST" and request.path in _SENDING:
            return self._acceptance.post(request)
        if request.method == "GET" and request.path == "/v2/detail_records":
            return detail_records(self._account.messages, request.parameters())
        if request.method == "GET" and request.path == "/v2/messaging_optouts":
            return opt_out_records(self._account.opt_outs, request.parameters())
        if request.path.startswith("/v2/messages/"):
            message_id = request.path.removeprefix("/v2/messages/")
            if request.method == "GET":
                return self._retrieve(message_id)
            if request.method == "DELETE":
                return self._cancel(message_id)
        raise RefusedError("10005", f"There is no {request.method} {request.path}.")

    def _retrieve(self, message_id: str) -> Answer:
        message = self._account.messages.get(message_id)
        if message is None:
            raise RefusedError("10005", f"There is no message {message_id}.")
        return json_answer({"data": message.resource()})

    def _cancel(self, message_id: str) -> Answer:
        """Return the message without a ``data`` wrapper, as Telnyx does."""
        message = self._account.messages.get(message_id)
        if message is None:
            raise RefusedError("10005", f"There is no message {message_id}.")
        near = message.send_at is None or message.send_at - datetime.now(UTC) <= _LATEST_CANCEL
        if near or not self._account.carrier.cancel(message):
            raise RefusedError("10010", "Only a text scheduled for later can be cancelled.")
        return json_answer(message.resource())
