"""The state of the simulated Telnyx account."""

from __future__ import annotations

from typing import Any

from delivery.providers.simulator import account
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.telnyx.simulator.carrier import Carrier
from delivery.providers.telnyx.simulator.idempotency import IdempotencyKeys
from delivery.providers.telnyx.simulator.inbound import receive
from delivery.providers.telnyx.simulator.messages import Messages
from delivery.providers.telnyx.simulator.numbers import Recipients
from delivery.providers.telnyx.simulator.opt_outs import OptOuts
from delivery.providers.telnyx.simulator.options import Keys, Options
from delivery.providers.telnyx.simulator.webhooks import Webhooks


class Account(account.Account):
    options: Options
    messages: Messages
    webhooks: Webhooks

    def __init__(
        self,
        keys: Keys,
        options: Options,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        super().__init__(options, ledger_capacity, numbers)
        self.keys = keys
        self.messages = Messages()
        self.idempotency = IdempotencyKeys()
        self.opt_outs = OptOuts()
        self.recipients = Recipients()
        self.webhooks = Webhooks(keys, options, self.timers)
        self.carrier = Carrier(options, self.timers, self.messages, self.webhooks)

    def reset(self) -> None:
        super().reset()
        for part in (self.idempotency, self.opt_outs, self.recipients):
            part.clear()

    def scope_of(self, profile_id: str) -> str:
        """Return the scope of a STOP."""
        return profile_id if self.options.opt_out_scope == "profile" else ""

    def opt_out_resources(self) -> list[dict[str, Any]]:
        return self.opt_outs.all()

    def receive(
        self, *, from_: str, to: str, text: str | None, media_urls: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        message = receive(self, from_=from_, to=to, text=text, media_urls=media_urls)
        return {"id": message.id, "autoresponse_type": message.autoresponse}
