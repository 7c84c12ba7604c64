"""Telnyx in the conformance suite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from delivery.providers.telnyx.codes import EXPLANATIONS
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.faults import FAULTS
from tests.delivery.providers.cases import Rig, Situation
from tests.delivery.providers.receiver import Webhook
from tests.support.simulator import fast_options


class TheRig(Rig):
    simulator: TelnyxSimulator
    situations = {
        Situation.REFUSED_NUMBER: "40310",
        Situation.STOPPED: "40300",
        Situation.SENDER_REFUSED: "40305",
        Situation.ACCOUNT_REFUSED: "20100",
        Situation.THROTTLED: "429",
        Situation.NOT_TAKEN: "503",
        Situation.SERVER_ERROR: "502_html",
        Situation.TAKEN_ANSWER_LOST: "drop",
        Situation.TAKEN_UNREADABLE: "no_id",
        Situation.FAILS_LATER: "delivery_failed",
    }
    faults = FAULTS
    codes = tuple(EXPLANATIONS)
    reports = 2
    signature_header = "telnyx-"

    def make_simulator(self, webhook_url: str) -> TelnyxSimulator:
        return TelnyxSimulator(options=replace(fast_options(), webhook_url=webhook_url))

    def options(self) -> dict[str, Any]:
        return {
            "BACKEND": "delivery.providers.telnyx.provider.TelnyxProvider",
            "API_KEY": self.simulator.api_key,
            "API_BASE": self.simulator.base,
            "PUBLIC_KEY": self.simulator.public_key,
        }

    def forged(self, webhook: Webhook) -> Webhook:
        return replace(webhook, body=webhook.body.replace(b"+1", b"+2"))
