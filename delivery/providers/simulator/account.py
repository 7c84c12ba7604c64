"""The state that every simulated provider account has: options, texts, numbers, faults, ledger."""

from __future__ import annotations

import copy
import dataclasses
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from delivery.providers.simulator.faults import FaultPlan
from delivery.providers.simulator.ledger import Ledger
from delivery.providers.simulator.numbers import OwnNumbers, SenderQueues
from delivery.providers.simulator.timers import Timers
from delivery.providers.simulator.webhooks import Webhooks


@dataclasses.dataclass(kw_only=True)
class Options:
    """Options that can be set at start or while the simulator runs: times in seconds, rates in message
    parts per second. A provider adds its own."""

    webhook_url: str = ""
    """The URL for inbound texts, and for reports on texts that name no URL."""
    latency_ms: float = 0
    """The delay of each answer to a POST, after the message was accepted."""
    rate: float = 2000
    """Parts per second of one sending number; faster texts wait in its queue."""
    queue_seconds: float
    """A queue longer than this is full."""
    sent_seconds: float = 0.02
    """The time from the queue to the carrier."""
    carrier_seconds: float = 0.05
    """The time from the carrier to the phone."""
    webhooks: bool = True
    """False: webhooks are lost."""
    webhook_timeout_seconds: float

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set the named options; raise ValueError that names an unknown option or a wrong type."""
        for name, value in changes.items():
            self._check(name, value)
        for name, value in changes.items():
            setattr(self, name, value)

    def _check(self, name: str, value: Any) -> None:
        if name not in {field.name for field in dataclasses.fields(self)}:
            raise ValueError(f"There is no option {name!r}.")
        present = getattr(self, name)
        if not _is_like(present, value):
            raise ValueError(f"{name} cannot be {value!r}; it is now {present!r}.")
        if name == "rate" and value == 0:
            raise ValueError("rate must be more than 0.")


def _is_like(present: Any, value: Any) -> bool:
    """Return whether both are a switch, a text, or a number of 0 or more."""
    if isinstance(present, bool | str):
        return type(value) is type(present)
    return type(value) in (int, float) and value >= 0


class Identified(Protocol):
    @property
    def id(self) -> str: ...


M = TypeVar("M", bound=Identified)


class Messages(Generic[M]):
    """All texts by id, inbound and outbound, in the order of creation; ``lock`` guards the change of a
    text's status."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._by_id: dict[str, M] = {}

    def add(self, message: M) -> None:
        with self.lock:
            self._by_id[message.id] = message

    def get(self, message_id: str) -> M | None:
        return self._by_id.get(message_id)

    def all(self) -> list[M]:
        with self.lock:
            return list(self._by_id.values())

    def clear(self) -> None:
        with self.lock:
            self._by_id.clear()


class Account(ABC):
    """The account of a simulator. A provider's class adds its webhooks, texts, keys and opt-outs."""

    messages: Messages[Any]
    webhooks: Webhooks[Any]

    def __init__(
        self,
        options: Options,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        self.options = options
        self._first_options = copy.copy(options)
        self.ledger = Ledger(ledger_capacity)
        self.numbers = numbers or OwnNumbers()
        self.queues = SenderQueues()
        self.plan = FaultPlan()
        self.timers = Timers()
        self._auto_replies: list[dict[str, Any]] = []

    @abstractmethod
    def opt_out_resources(self) -> Sequence[Mapping[str, Any]]:
        """Return the opt-outs for the control API."""

    @abstractmethod
    def receive(
        self, *, from_: str, to: str, text: str | None, media_urls: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Take a text from a phone; return the answer of ``POST /inbound``."""

    def start(self) -> None:
        self.timers.start()

    def stop(self) -> None:
        self.timers.stop()
        self.webhooks.stop()

    def reset(self) -> None:
        """Reset to the initial state with the same keys; drop webhooks in flight."""
        self.timers.clear()
        self.webhooks.clear()
        self.options.change(vars(self._first_options))
        for part in (self.plan, self.messages, self.queues, self.numbers, self.ledger):
            part.clear()
        self._auto_replies.clear()

    def add_auto_reply(self, message_id: str, *, from_: str, to: str, text: str) -> None:
        """Record the provider's own answer to a keyword; it is no text of the ledger."""
        reply = {"id": message_id, "from": from_, "to": to, "text": text}
        self._auto_replies.append(reply)

    def auto_reply_resources(self) -> Sequence[Mapping[str, Any]]:
        return list(self._auto_replies)
