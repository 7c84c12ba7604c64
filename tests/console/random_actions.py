"""Random actions of a church office over the API, and random answers of its members' phones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import requests

from delivery.providers.telnyx.simulator.numbers import NUMBER_OF, RECOVERING
from tests.support.church_log import has_told_of_broadcasts
from tests.support.running_system import RunningSystem
from tests.support.waiting import wait_until

_UNFINISHED = ("queued", "retrying", "accepted", "sent", "sending")
"""``sending`` is last: no event tells that a text has become so, but an event tells that it has ended."""
_FAULTS = (
    "500", "500_html", "503", "duplicated", "reordered", "webhook_first", "unknown_event",
    "delivery_unconfirmed", "delivery_failed", "delivery_failed_bare", "sending_failed", "40300",
)  # fmt: skip
_FAULTY_NUMBERS = [*(NUMBER_OF[name] for name in _FAULTS), *RECOVERING]
"""Numbers that the simulator fails or delivers out of order, without long delays."""


class Office:
    def __init__(self, system: RunningSystem, username: str, seed: object) -> None:
        self._random = Random(str(seed))
        self._said: set[str] = set()
        """The texts that phones sent to the church."""
        self._system = system
        self._church = f"{system.url}/api/v1/churches/{username.partition('-')[0]}/"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {system.token(username)}"
        self._members = self.get("members/?page_size=20")["results"]
        self._groups = [group["id"] for group in self.get("groups/")["results"]]
        self._number = self.get("")["phone_number"]

    def get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(self._church + path, timeout=20)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(self._church + path, json=body, timeout=20)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def act(self) -> None:
        """Do one random action."""
        actions: dict[Callable[[], None], int] = {
            self._text: 6, self._text_to_faulty_number: 3, self._hear: 5, self._read: 4,
            self._schedule_and_cancel: 1, self._broadcast: 1,
        }  # fmt: skip
        [action] = self._random.choices([*actions], [*actions.values()])
        action()

    def rest(self, seconds: float = 60) -> int:
        """Wait until all messages are final; return the head of the church's stream."""
        return wait_until(self._head_at_rest, seconds, pause=0.2)

    def _head_at_rest(self) -> int | None:
        """Return the head, or None if anything is unfinished or changed between two of the requests."""
        head = self._head()
        at_rest = (
            not any(self.get(f"messages/?status={status}")["results"] for status in _UNFINISHED)
            and self._all_inbound_arrived()
            and has_told_of_broadcasts(self.get)
        )
        return head if at_rest and head == self._head() else None

    def _head(self) -> int:
        return int(self.get("events/")["to"])

    def _all_inbound_arrived(self) -> bool:
        """Return True if the webhooks of all sent texts have arrived."""
        inbound = self.get("messages/?direction=inbound&page_size=50")["results"]
        return self._said <= {message["text"] for message in inbound}

    def _text(self) -> None:
        member = self._random.choice(self._members)
        self.post("messages/", {"member": member["id"], "text": self._words()})

    def _text_to_faulty_number(self) -> None:
        self.post("messages/", {"to": self._random.choice(_FAULTY_NUMBERS), "text": self._words()})

    def _hear(self) -> None:
        phone = self._random.choice(self._members)["phone"]
        body = {"from": phone, "to": self._number, "text": self._words()}
        answer = requests.post(
            f"{self._system.simulator['control']}/inbound", json=body, timeout=10
        )
        assert answer.ok, answer.text
        self._said.add(body["text"])

    def _read(self) -> None:
        conversations = self.get("conversations/?page_size=5")["results"]
        if conversations:
            self.post(f"conversations/{self._random.choice(conversations)['id']}/read/", {})

    def _schedule_and_cancel(self) -> None:
        member = self._random.choice(self._members)
        at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        body = {"member": member["id"], "text": self._words(), "send_at": at}
        message = self.post("messages/", body)
        self.post(f"messages/{message['id']}/cancel/", {})

    def _broadcast(self) -> None:
        members = [member["id"] for member in self._random.sample(self._members, 8)]
        self.post("broadcasts/", {"text": self._words(), "audience": {"members": members}})

    def _words(self) -> str:
        return f"Word {self._random.randrange(10**9)}"
