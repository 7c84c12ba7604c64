"""Telnyx's resource of one message, the same in a webhook and in ``GET /v2/messages/{id}``, as a
neutral report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.models import Outcome
from delivery.models.message import Encoding
from delivery.models.transitions import Failure
from delivery.providers.base import Billed, DeliveryReport
from delivery.providers.telnyx.codes import SETUP_OF_THE_NUMBER, STOPPED
from delivery.providers.values import MOST_PARTS, is_id, text_of
from delivery.statuses import Status

STATUSES = {
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "delivery_unconfirmed": Status.UNCONFIRMED,
    "delivery_failed": Status.FAILED,
    "sending_failed": Status.FAILED,
    "expired": Status.FAILED,
    "cancelled": Status.FAILED,
}
"""``to[].status`` (Telnyx, "Receiving webhooks for messaging") and our status for it."""

_ENCODINGS = {
    "GSM-7": Encoding.GSM7,
    "GSM7": Encoding.GSM7,
    "UCS-2": Encoding.UCS2,
    "UCS2": Encoding.UCS2,
    "UTF-16": Encoding.UCS2,
}
_FARTHEST = timedelta(days=3650)


def delivery_report(payload: Any, *, at: datetime) -> DeliveryReport | None:
    """Return the report in ``payload``; None for an inbound text or an unknown form."""
    if not isinstance(payload, dict) or payload.get("direction") == "inbound":
        return None
    provider_id, to = text_of(payload.get("id")), first_object(payload.get("to"))
    word = text_of(to.get("status"))
    status = STATUSES.get(word)
    if not is_id(provider_id) or status is None:
        return None
    failure = _failure(payload, word) if status == Status.FAILED else None
    return DeliveryReport(
        provider_id=provider_id,
        status=status,
        at=at,
        to_number=text_of(to.get("phone_number")),
        from_number=number_of(payload.get("from")),
        sent_at=moment(payload.get("sent_at"), at),
        completed_at=moment(payload.get("completed_at"), at),
        failure=failure,
        opted_out=failure is not None and failure.code == STOPPED,
        billed=billed(payload),
    )


def billed(message: Mapping[str, Any]) -> Billed:
    """Return the parts and the encoding that ``message`` (a resource or a payload) states."""
    parts, encoding = message.get("parts"), message.get("encoding")
    usable = type(parts) is int and 0 < parts <= MOST_PARTS
    known = _ENCODINGS.get(encoding.upper()) if isinstance(encoding, str) else None
    return Billed(parts if usable else None, known)


def moment(value: Any, now: datetime) -> datetime | None:
    """Return the time in ``value`` (``2026-11-22T14:03:07.412+00:00``), UTC; None for any other value
    and for a time more than ten years from ``now``."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if abs(aware - now) < _FARTHEST else None


def first_object(value: Any) -> dict[str, Any]:
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, dict) else {}


def number_of(value: Any) -> str:
    """Return the number in ``from``: an object, in some documents a plain string."""
    return text_of(value.get("phone_number") if isinstance(value, dict) else value)


def _failure(payload: dict[str, Any], status: str) -> Failure:
    error = first_object(payload.get("errors"))
    code = error.get("code")
    word = str(code) if isinstance(code, str | int) and code else status
    blamed = Outcome.CONFIGURATION.value if word in SETUP_OF_THE_NUMBER else "carrier"
    return Failure(word, text_of(error.get("title")), blamed)
