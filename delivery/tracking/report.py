"""What Telnyx says about a text: the same payload in a webhook and in ``GET /v2/messages/{id}``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery.billed import Billed
from delivery.models import Outcome
from delivery.models.transitions import Failure
from delivery.providers.telnyx.billed import billed
from delivery.providers.telnyx.codes import SETUP_OF_THE_NUMBER
from delivery.providers.telnyx.times import moment
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
"""``to[].status`` (Telnyx, "Receiving webhooks for messaging") and what it means here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReport:
    """One outbound text at one moment."""

    provider_id: str
    status: Status
    at: datetime
    to_number: str
    from_number: str
    sent_at: datetime | None
    completed_at: datetime | None
    failure: Failure | None
    billed: Billed


def status_report(payload: Any, *, at: datetime) -> StatusReport | None:
    """The report in ``payload``; None where it says nothing that we know how to read."""
    if not isinstance(payload, dict) or payload.get("direction") == "inbound":
        return None
    provider_id, to = payload.get("id"), first_object(payload.get("to"))
    status = STATUSES.get(text_of(to.get("status")))
    if not isinstance(provider_id, str) or not 0 < len(provider_id) <= 64 or status is None:
        return None
    return StatusReport(
        provider_id=provider_id,
        status=status,
        at=at,
        to_number=text_of(to.get("phone_number")),
        from_number=number_of(payload.get("from")),
        sent_at=moment(payload.get("sent_at"), at),
        completed_at=moment(payload.get("completed_at"), at),
        failure=_failure(payload, text_of(to.get("status"))) if status == Status.FAILED else None,
        billed=billed(payload),
    )


def first_object(value: Any) -> dict[str, Any]:
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, dict) else {}


def number_of(value: Any) -> str:
    """``from`` is an object; some documents show a plain string."""
    return text_of(value.get("phone_number") if isinstance(value, dict) else value)


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _failure(payload: dict[str, Any], status: str) -> Failure:
    error = first_object(payload.get("errors"))
    code = error.get("code")
    word = str(code) if isinstance(code, str | int) and code else status
    blamed = Outcome.CONFIGURATION.value if word in SETUP_OF_THE_NUMBER else "carrier"
    return Failure(word, text_of(error.get("title")), blamed)
