"""Twilio's webhook forms and message resources, translated to neutral reports and texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from delivery.content.visible_text import storable
from delivery.models import Outcome
from delivery.models.transitions import Failure
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.providers.base import DeliveryReport, InboundText, ProviderEvent
from delivery.providers.twilio import codes
from delivery.providers.twilio.answer import billed, code_of
from delivery.providers.values import (
    MOST_MEDIA,
    fingerprint,
    is_id,
    is_number,
    keyword_of,
    links,
    our_reference,
    text_of,
)
from delivery.statuses import Status

STATUSES = {
    "accepted": Status.ACCEPTED,
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.FAILED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
"""``MessageStatus`` and our status ("Outbound message status in status callbacks")."""


def event_of(fields: Mapping[str, str], *, ref: str, now: datetime) -> ProviderEvent:
    """Return the event in a webhook's form, with an id and a time of ours: Twilio gives none.

    Two status events are equal if message, status, code and carrier date are equal. An inbound text
    has its message's id.
    """
    fields = {storable(name): storable(value) for name, value in fields.items()}
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
    status = fields.get("MessageStatus", "")
    if is_inbound(fields):
        event_type, event_id = TEXT_RECEIVED, sid
    else:
        told = (sid, status, fields.get("ErrorCode", ""), fields.get("RawDlrDoneDate", ""))
        event_type = status[:64] or "unknown"
        event_id = fingerprint(told)
    return ProviderEvent(
        event_id=event_id if is_id(event_id) else fingerprint(fields),
        event_type=event_type,
        provider_id=sid if is_id(sid) else "",
        ref=our_reference(ref),
        occurred_at=now,
        payload=dict(fields),
    )


def is_inbound(fields: Mapping[str, Any]) -> bool:
    return "MessageStatus" not in fields and fields.get("SmsStatus") in {"received", "receiving"}


def read(event: ProviderEvent) -> DeliveryReport | InboundText | None:
    """Return the content of a stored event; None for an unknown status or form."""
    fields = {name: value for name, value in event.payload.items() if isinstance(value, str)}
    if event.is_inbound:
        return _inbound_text(fields, event.occurred_at)
    return _report(
        sid=event.provider_id,
        status=fields.get("MessageStatus", ""),
        code=code_of(fields.get("ErrorCode")),
        to=fields.get("To", ""),
        from_=fields.get("From", ""),
        at=event.occurred_at,
    )


def report_of_resource(resource: Mapping[str, Any], now: datetime) -> DeliveryReport | None:
    """Return the report in a message resource, as a look-up finds it."""
    sid, status = resource.get("sid"), resource.get("status")
    if not isinstance(sid, str) or not isinstance(status, str):
        return None
    return _report(
        sid=sid,
        status=status,
        code=code_of(resource.get("error_code")),
        to=text_of(resource.get("to")),
        from_=text_of(resource.get("from")),
        at=now,
        sent_at=moment(resource.get("date_sent")),
        updated_at=moment(resource.get("date_updated")),
        parts=resource.get("num_segments"),
    )


def moment(value: Any) -> datetime | None:
    """Return the time in an RFC 2822 date, in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _report(
    *,
    sid: str,
    status: str,
    code: int | None,
    to: str,
    from_: str,
    at: datetime,
    sent_at: datetime | None = None,
    updated_at: datetime | None = None,
    parts: Any = None,
) -> DeliveryReport | None:
    known = STATUSES.get(status)
    if known is None or not is_id(sid):
        return None
    failed = known == Status.FAILED
    return DeliveryReport(
        provider_id=sid,
        status=known,
        at=at,
        to_number=to,
        from_number=from_,
        sent_at=None if known == Status.ACCEPTED else sent_at,
        completed_at=updated_at if known in {Status.FAILED, Status.DELIVERED} else None,
        failure=_failure(status, code) if failed else None,
        opted_out=failed and code == codes.OPTED_OUT,
        billed=billed(parts),
    )


def _failure(status: str, code: int | None) -> Failure:
    word = str(code) if code is not None else status
    blamed = Outcome.CONFIGURATION.value if codes.blames_the_sender(code) else "carrier"
    return Failure(word, codes.explain(word), blamed)


def _inbound_text(fields: Mapping[str, str], at: datetime) -> InboundText | None:
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
    to, from_ = fields.get("To", ""), fields.get("From", "")
    if not is_id(sid) or not is_number(to) or not is_number(from_):
        return None
    media = [fields.get(f"MediaUrl{index}", "") for index in range(MOST_MEDIA)]
    return InboundText(
        provider_id=sid,
        to_number=to,
        from_number=from_,
        text=fields.get("Body", ""),
        media_urls=links(media),
        keyword=keyword_of(fields.get("OptOutType")),
        billed=billed(fields.get("NumSegments")),
        at=at,
    )
