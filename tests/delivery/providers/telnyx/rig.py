"""Telnyx in the conformance suite."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from delivery.providers.telnyx.codes import EXPLANATIONS
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.faults import fault
from delivery.providers.telnyx.simulator.inbound import receive
from tests.delivery.providers.cases import Rig, Situation, Webhook
from tests.support.simulator import fast_options

_FAULTS = {
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


class TheRig(Rig):
    codes = tuple(EXPLANATIONS)
    reports = 2

    def options(self) -> dict[str, Any]:
        return {
            "BACKEND": "delivery.providers.telnyx.provider.TelnyxProvider",
            "API_KEY": self._telnyx.api_key,
            "API_BASE": self._telnyx.base,
            "PUBLIC_KEY": self._telnyx.public_key,
        }

    def meets(self, situation: Situation, to: str) -> None:
        self._telnyx.account.plan.add(fault(_FAULTS[situation]), count=1, to=to)

    def start_outage(self) -> None:
        self._telnyx.start_outage("refuse")

    def taken(self) -> int:
        return int(self._telnyx.ledger.summary()["unique"])

    def without_webhooks(self) -> None:
        self._telnyx.account.options.change({"webhooks": False})

    def writes_to_us(self, text: str, *, person: str, number: str) -> None:
        receive(self._telnyx.account, from_=person, to=number, text=text)

    def forged(self, webhook: Webhook) -> Webhook:
        return replace(webhook, body=webhook.body.replace(b"+1", b"+2"))

    def unsigned(self, webhook: Webhook) -> Webhook:
        kept = {
            name: value
            for name, value in webhook.headers.items()
            if not name.lower().startswith("telnyx-")
        }
        return replace(webhook, headers=kept)

    def __enter__(self) -> Self:
        options = replace(fast_options(), webhook_url=f"{self.site.origin}/webhooks/{self.alias}/")
        self._telnyx = TelnyxSimulator(options=options)
        self._telnyx.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._telnyx.end_outage()
        self._telnyx.stop()
