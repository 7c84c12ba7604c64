"""Twilio in the conformance suite."""

from __future__ import annotations

import dataclasses
from types import TracebackType
from typing import Any, Self

from delivery.providers.twilio.codes import CODES
from delivery.providers.twilio.simulator import Options, TwilioSimulator
from delivery.providers.twilio.simulator.faults import fault
from tests.delivery.providers.cases import Rig, Site, Situation, Webhook

_FAULTS = {
    Situation.REFUSED_NUMBER: "21614",
    Situation.STOPPED: "21610",
    Situation.SENDER_REFUSED: "21606",
    Situation.ACCOUNT_REFUSED: "20003",
    Situation.THROTTLED: "429",
    Situation.NOT_TAKEN: "503",
    Situation.SERVER_ERROR: "502_html",
    Situation.TAKEN_ANSWER_LOST: "drop",
    Situation.TAKEN_UNREADABLE: "no_sid",
    Situation.FAILS_LATER: "undelivered",
}


class TheRig(Rig):
    codes = tuple(map(str, CODES))
    reports = 2

    def __init__(self, site: Site, alias: str) -> None:
        super().__init__(site, alias)
        self._twilio = TwilioSimulator(
            options=Options(
                sent_seconds=0,
                carrier_seconds=0.005,
                webhook_url=f"{site.origin}/webhooks/{alias}/",
            )
        )

    def options(self) -> dict[str, Any]:
        credentials = self._twilio.credentials
        return {
            "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
            "ACCOUNT_SID": credentials.account_sid,
            "AUTH_TOKEN": credentials.auth_token,
            "API_KEY": credentials.api_key,
            "API_SECRET": credentials.api_secret,
            "API_BASE": self._twilio.base,
        }

    def meets(self, situation: Situation, to: str) -> None:
        self._twilio.account.plan.add(fault(_FAULTS[situation]), count=1, to=to)

    def start_outage(self) -> None:
        self._twilio.start_outage()

    def taken(self) -> int:
        return len(self._twilio.ledger)

    def without_webhooks(self) -> None:
        self._twilio.account.options.change({"webhooks": False})

    def writes_to_us(self, text: str, *, person: str, number: str) -> None:
        self._twilio.account.receive(from_=person, to=number, text=text)

    def forged(self, webhook: Webhook) -> Webhook:
        return dataclasses.replace(webhook, body=webhook.body.replace(b"Body=", b"Body=Not+"))

    def unsigned(self, webhook: Webhook) -> Webhook:
        kept = {
            name: value for name, value in webhook.headers.items() if name != "X-Twilio-Signature"
        }
        return dataclasses.replace(webhook, headers=kept)

    def __enter__(self) -> Self:
        self._twilio.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._twilio.stop()
