from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.delivery.providers import receiver


class Received(receiver.Webhook):
    @property
    def event(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    @property
    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = json.loads(self.body)["meta"]
        return meta

    @property
    def type(self) -> str:
        return str(self.event["event_type"])

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.event["payload"]
        return payload

    @property
    def status(self) -> str:
        return str(self.payload["to"][0]["status"])


class Receiver(receiver.Receiver[Received]):
    def __init__(self) -> None:
        super().__init__(Received)


def of_type(name: str) -> Callable[[Received], bool]:
    """Return the condition for ``wait_for``."""
    return lambda webhook: webhook.type == name
