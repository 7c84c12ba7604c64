"""STOP, START and HELP: recognition, blocks and automatic replies, as Telnyx does them."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from delivery.providers.telnyx.simulator.messages import timestamp

_STOP = frozenset({"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "UNSTOP"})
REPLIES = {
    "STOP": "You will not get any more texts from this number. Reply START to get them again.",
    "START": "You will get texts from this number again. Reply STOP to end them.",
    "HELP": "Reply STOP to end texts from this number, or START to get them again.",
}


def keyword(text: str) -> str | None:
    """Return ``STOP``, ``START`` or ``HELP`` if the text is only a keyword; case and space are
    ignored."""
    word = text.strip().upper()
    if word in _STOP:
        return "STOP"
    if word in _START:
        return "START"
    return "HELP" if word == "HELP" else None


@dataclass(frozen=True, slots=True)
class OptOut:
    sender: str
    """The number that received the text."""
    recipient: str
    keyword: str
    messaging_profile_id: str
    created_at: str

    def resource(self) -> dict[str, Any]:
        fields = asdict(self)
        return {"from": fields.pop("sender"), "to": fields.pop("recipient"), **fields}


class OptOuts:
    """Blocks by (scope, recipient); the scope is a profile's id, or "" for the whole account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[tuple[str, str], OptOut] = {}

    def block(self, scope: str, sender: str, recipient: str, word: str, profile_id: str) -> None:
        entry = OptOut(sender, recipient, word, profile_id, timestamp())
        with self._lock:
            self._blocks.setdefault((scope, recipient), entry)

    def unblock(self, scope: str, recipient: str) -> None:
        with self._lock:
            self._blocks.pop((scope, recipient), None)

    def is_blocked(self, scope: str, recipient: str) -> bool:
        return (scope, recipient) in self._blocks

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [entry.resource() for entry in self._blocks.values()]

    def clear(self) -> None:
        with self._lock:
            self._blocks.clear()
