"""The API as clients see it, below ``/2010-04-01/Accounts/{sid}``: create, fetch, list."""

from __future__ import annotations

import base64
import binascii

from delivery.providers.simulator import api
from delivery.providers.simulator.server import Answer, Request, json_answer
from delivery.providers.twilio.simulator.acceptance import Acceptance
from delivery.providers.twilio.simulator.account import Account
from delivery.providers.twilio.simulator.errors import RefusedError, error_answer
from delivery.providers.twilio.simulator.messages import API_VERSION

_XML = b"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse/>"


class Api(api.Api):
    _account: Account

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._acceptance = Acceptance(account)

    def unavailable(self) -> Answer:
        return error_answer(20503)

    def authenticate(self, request: Request) -> None:
        kind, _, encoded = " ".join(request.header_values("Authorization")).partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise RefusedError(20003) from error
        if kind != "Basic" or not self._account.credentials.open_the_api(user, password):
            raise RefusedError(20003)

    def route(self, request: Request) -> Answer:
        messages = f"/{API_VERSION}/Accounts/{self._account.credentials.account_sid}/Messages"
        if request.path == messages:
            return Answer(body=_XML, content_type="application/xml")
        if request.path == f"{messages}.json":
            if request.method == "POST":
                return self._acceptance.post(request)
            return self._list(request)
        sid = request.path.removeprefix(f"{messages}/").removesuffix(".json")
        message = self._account.messages.get(sid)
        if request.method == "GET" and message is not None and request.path.endswith(".json"):
            return json_answer(message.resource())
        raise RefusedError(20404, f"The requested resource {request.path} was not found")

    def _list(self, request: Request) -> Answer:
        try:
            return json_answer(self._account.messages.page(request.path, request.parameters()))
        except ValueError:
            return json_answer({"code": 20001, "message": "Bad request", "status": 400}, 400)
