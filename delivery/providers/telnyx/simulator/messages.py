"""Texts as Telnyx stores them, and their form in answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.providers.simulator import account
from delivery.providers.simulator.encoding import size_of, ucs2_size_of

ORGANIZATION = "9d76d591-1b7d-405d-8c64-1320ee070245"
_PROFILES = uuid.UUID("83d2343b-553f-4c5f-b8c8-fd27004f94bf")
KEPT = timedelta(days=10)


def new_id() -> str:
    """Message ids have the form ``4031….-….-4…``."""
    return "4031" + str(uuid.uuid4())[4:]


def profile_of(number: str) -> str:
    """Return the messaging profile of a sending number: in the simulator each number has a separate
    one."""
    return str(uuid.uuid5(_PROFILES, number))


def timestamp(at: datetime | None = None) -> str:
    """Return ``at``, or now, in Telnyx's format: ``2025-03-22T11:28:39.401+00:00``."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds")


def parse(text: str) -> datetime:
    """Parse an aware RFC 3339 time. Raise ValueError for any other text."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("The time has no offset.")
    return at


@dataclass(slots=True, kw_only=True)
class Message:
    from_: str
    to: str
    text: str | None
    profile_id: str
    direction: str = "outbound"
    type: str = "SMS"
    subject: str | None = None
    media_urls: tuple[str, ...] = ()
    webhook_url: str = ""
    webhook_failover_url: str = ""
    use_profile_webhooks: bool = True
    id: str = field(default_factory=new_id)
    status: str = "queued"
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    valid_until: datetime | None = None
    send_at: datetime | None = None
    wait_seconds: float = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    has_cost: bool = True
    autoresponse: str | None = None
    encoding: str = ""
    parts: int = 1

    def __post_init__(self) -> None:
        self.encoding, self.parts = size_of(self.text or "")

    def encode_as_ucs2(self) -> None:
        self.encoding, self.parts = ucs2_size_of(self.text or "")

    def resource(self) -> dict[str, Any]:
        shape = self._inbound() if self.direction == "inbound" else self._outbound()
        return {
            "record_type": "message",
            "direction": self.direction,
            "id": self.id,
            "type": self.type,
            "organization_id": ORGANIZATION,
            "messaging_profile_id": self.profile_id,
            "cc": [],
            "text": self.text,
            "subject": self.subject,
            "media": [
                {"url": url, "content_type": None, "sha256": None, "size": None}
                for url in self.media_urls
            ],
            "webhook_url": self.webhook_url,
            "webhook_failover_url": self.webhook_failover_url,
            "encoding": self.encoding,
            "parts": self.parts,
            "tags": [],
            "received_at": timestamp(self.received_at),
            "sent_at": _or_none(self.sent_at),
            "completed_at": _or_none(self.completed_at),
            "valid_until": _or_none(self.valid_until),
            "errors": self.errors,
            **shape,
        }

    def _outbound(self) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "from": {"phone_number": self.from_, "carrier": "Telnyx", "line_type": "Wireless"},
            "to": [_end(self.to, "T-MOBILE USA, INC.", self.status)],
            "cost": _money(0.0051 * self.parts) if self.has_cost else None,
            "cost_breakdown": {
                "carrier_fee": _money(0.00305 * self.parts),
                "rate": _money(0.00205 * self.parts),
            },
            "tcr_campaign_id": None,
            "tcr_campaign_billable": False,
            "tcr_campaign_registered": None,
            "wait_seconds": round(self.wait_seconds, 3),
            "num_chars": len(self.text or ""),
            "smart_encoding_applied": False,
        }
        if self.send_at is not None:
            shape["send_at"] = timestamp(self.send_at)
        return shape

    def _inbound(self) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "from": {
                "phone_number": self.from_,
                "carrier": "T-Mobile USA",
                "line_type": "long_code",
            },
            "to": [_end(self.to, "Telnyx", "webhook_delivered")],
            "cost": {"amount": "0.0000", "currency": "USD"},
        }
        if self.autoresponse:
            shape["autoresponse_type"] = self.autoresponse
        return shape


def _end(number: str, carrier: str, status: str) -> dict[str, str]:
    return {
        "phone_number": number,
        "status": status,
        "carrier": carrier,
        "line_type": "Wireless",
    }


def _money(amount: float) -> dict[str, str]:
    return {"amount": f"{amount:.5f}", "currency": "USD"}


def _or_none(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


class Messages(account.Messages[Message]):
    def get(self, message_id: str) -> Message | None:
        """Return the text, or None if it is unknown or older than ten days."""
        message = super().get(message_id)
        if message is None or datetime.now(UTC) - message.received_at > KEPT:
            return None
        return message
