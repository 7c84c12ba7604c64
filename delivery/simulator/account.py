"""All that the simulated Telnyx account knows, in one place."""

from __future__ import annotations

import copy

from delivery.simulator.carrier import Carrier
from delivery.simulator.idempotency import IdempotencyKeys
from delivery.simulator.keys import Keys
from delivery.simulator.ledger import Ledger
from delivery.simulator.messages import Message, Messages
from delivery.simulator.numbers import Recipients
from delivery.simulator.opt_outs import OptOuts
from delivery.simulator.options import Options
from delivery.simulator.own_numbers import OwnNumbers
from delivery.simulator.plan import FaultPlan
from delivery.simulator.queues import SenderQueues
from delivery.simulator.timers import Timers
from delivery.simulator.webhooks import Webhooks


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
        """As freshly started, with the same keys; webhooks on their way are forgotten."""
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
        """Where a STOP counts."""
        return profile_id if self.options.opt_out_scope == "profile" else ""
