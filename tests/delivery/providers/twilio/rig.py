"""Twilio in the conformance suite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from delivery.providers.twilio.codes import CODES
from delivery.providers.twilio.simulator import Options, TwilioSimulator
from delivery.providers.twilio.simulator.faults import FAULTS
from tests.delivery.providers.cases import Rig, Situation
from tests.delivery.providers.receiver import Webhook
from tests.delivery.providers.twilio.api_client import settings_for


class TheRig(Rig):
    simulator: TwilioSimulator
    situations = {
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
    faults = FAULTS
    codes = tuple(map(str, CODES))
    reports = 2
    signature_header = "x-twilio-signature"

    def make_simulator(self, webhook_url: str) -> TwilioSimulator:
        options = Options(sent_seconds=0, carrier_seconds=0.005, webhook_url=webhook_url)
        return TwilioSimulator(options=options)

    def options(self) -> dict[str, Any]:
        return settings_for(self.simulator)

    def forged(self, webhook: Webhook) -> Webhook:
        return replace(webhook, body=webhook.body.replace(b"Body=", b"Body=Not+"))
