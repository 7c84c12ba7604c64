"""The state of the simulated Telnyx account."""

from __future__ import annotations

import copy
from typing import Any

from delivery.providers.simulator.faults import FaultPlan
from delivery.providers.simulator.ledger import Ledger
from delivery.providers.simulator.numbers import OwnNumbers, SenderQueues
from delivery.providers.simulator.timers import Timers
from delivery.providers.telnyx.simulator.carrier import Carrier
from delivery.providers.telnyx.simulator.idempotency import IdempotencyKeys
from delivery.providers.telnyx.simulator.inbound import auto_reply_resource, receive
from delivery.providers.telnyx.simulator.keys import Keys
from delivery.providers.telnyx.simulator.messages import Message, Messages
from delivery.providers.telnyx.simulator.numbers import Recipients
from delivery.providers.telnyx.simulator.opt_outs import OptOuts
from delivery.providers.telnyx.simulator.options import Options
from delivery.providers.telnyx.simulator.webhooks import Webhooks


class Account:
    def __init__(
        self,
        keys: Keys,
        options: Options,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        self.keys, self.options = keys, options
        self._first_options = copy.copy(options)
        self.ledger = Ledger(ledger_capacity)
        self.numbers = numbers or OwnNumbers()
        self.messages = Messages()
        self.auto_replies: list[Message] = []
        self.idempotency = IdempotencyKeys()
        self.opt_outs = OptOuts()
        self.queues = SenderQueues()
        self.plan = FaultPlan()
        self.recipients = Recipients()
        self.timers = Timers()
        self.webhooks = Webhooks(keys, options, self.timers)
        self.carrier = Carrier(options, self.timers, self.messages, self.webhooks)

    def start(self) -> None:
        self.timers.start()

    def stop(self) -> None:
        self.timers.stop()
        self.webhooks.stop()

    def reset(self) -> None:
        """Reset to the initial state with the same keys; drop webhooks in flight."""
        self.timers.clear()
        self.webhooks.clear()
        self.plan.clear()
        self.options.change(vars(self._first_options))
        for part in (
            self.messages, self.idempotency, self.opt_outs, self.queues, self.recipients,
            self.numbers,
        ):  # fmt: skip
            part.clear()
        self.auto_replies.clear()
        self.ledger.clear()

    def scope_of(self, profile_id: str) -> str:
        """Return the scope of a STOP."""
        return profile_id if self.options.opt_out_scope == "profile" else ""

    def opt_out_resources(self) -> list[dict[str, Any]]:
        return self.opt_outs.all()

    def auto_reply_resources(self) -> list[dict[str, Any]]:
        return [auto_reply_resource(one) for one in self.auto_replies]

    def receive(
        self, *, from_: str, to: str, text: str | None, media_urls: tuple[str, ...]
    ) -> dict[str, Any]:
        message = receive(self, from_=from_, to=to, text=text, media_urls=media_urls)
        return {"id": message.id, "autoresponse_type": message.autoresponse}
