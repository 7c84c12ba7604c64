"""What the conformance suite needs of a provider: a rig, with its simulator behind it.

A provider's rig is ``tests/delivery/providers/<key>/rig.py``: a class ``TheRig`` with the methods of
:class:`Rig`. The suite (``test_conformance.py``) finds it by its folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from enum import Enum
from types import TracebackType
from typing import Any, Self

from delivery.providers.simulator.faults import FaultTable
from delivery.providers.simulator.lifecycle import Simulator
from tests.delivery.providers.receiver import Receiver, Webhook

OURS = "+13125550100"
"""The sending number of Grace church, and of the account."""
PERSON = "+13125550155"


class Situation(Enum):
    """The next call for one recipient meets this. Each is used up by one call."""

    REFUSED_NUMBER = "permanent: this number cannot be texted"
    STOPPED = "permanent, opted out: the person sent STOP before"
    SENDER_REFUSED = "configuration: the sending number may not send"
    ACCOUNT_REFUSED = "configuration, hold: the account or its credentials"
    THROTTLED = "throttled: slow down"
    NOT_TAKEN = "retryable: the provider itself says that it did not take the text"
    SERVER_ERROR = "ambiguous: a bare error of the server or of a proxy"
    TAKEN_ANSWER_LOST = "ambiguous: the provider took the text, and the connection broke"
    TAKEN_UNREADABLE = "ambiguous: the provider took the text, and its answer has no id"
    FAILS_LATER = "accepted; then the carrier reports a failure"


class Rig(AbstractContextManager["Rig"], ABC):
    """One provider under test, with a simulator that runs while the rig is entered."""

    situations: Mapping[Situation, str]
    """The fault of the simulator behind each situation. Leave one out only with a reason in a comment."""
    faults: FaultTable
    codes: tuple[str, ...]
    """The codes that the provider explains."""
    reports: int
    """The number of status webhooks of a delivered text."""

    signature_header: str
    """The first letters of the headers that sign a webhook, in lower case."""

    def __init__(self, site: Receiver[Webhook], alias: str) -> None:
        self.site = site
        self.alias = alias
        self.simulator = self.make_simulator(f"{site.origin}/webhooks/{alias}/")

    @abstractmethod
    def make_simulator(self, webhook_url: str) -> Simulator:
        """Return a simulator without delays, not started."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return ``DELIVERY["PROVIDERS"][alias]``, the ``BACKEND`` included."""

    @abstractmethod
    def forged(self, webhook: Webhook) -> Webhook:
        """Return ``webhook`` with another content under the old signature."""

    def meets(self, situation: Situation, to: str) -> None:
        """Make the next call for ``to`` meet ``situation``."""
        fault = self.faults.shaped(self.situations[situation])
        self.simulator.account.plan.add(fault, count=1, to=to)

    def start_outage(self) -> None:
        """Refuse every connection."""
        self.simulator.start_outage("refuse")

    def taken(self) -> int:
        """Return how many texts the provider took, repeats by key not counted."""
        return len(self.simulator.ledger)

    def without_webhooks(self) -> None:
        """Let the provider lose every webhook from now on."""
        self.simulator.account.options.change({"webhooks": False})

    def writes_to_us(self, text: str, *, person: str, number: str) -> None:
        """Let a person text one of the account's numbers; the webhook goes to ``site``."""
        self.simulator.account.receive(from_=person, to=number, text=text)

    def unsigned(self, webhook: Webhook) -> Webhook:
        """Return ``webhook`` without its signature."""
        kept = {
            name: value
            for name, value in webhook.headers.items()
            if not name.startswith(self.signature_header)
        }
        return replace(webhook, headers=kept)

    def __enter__(self) -> Self:
        self.simulator.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.simulator.stop()
