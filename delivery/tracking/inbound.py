"""Texts to a tenant's number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model

from delivery import conf
from delivery.billed import Billed
from delivery.content.encoding import measure
from delivery.models import Direction, Message
from delivery.models.message import Encoding
from delivery.opt_outs.stop_requests import asks_to_stop
from delivery.opt_outs.words import wish
from delivery.providers.telnyx.billed import billed
from delivery.statuses import Status
from delivery.tracking.inbound_content import Content, content
from delivery.tracking.report import first_object, number_of, text_of

_LONGEST_NUMBER = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundText:
    """One text to one of our numbers."""

    provider_id: str
    to_number: str
    """Empty where an RCS agent was texted, which has no number."""
    from_number: str
    content: Content
    billed: Billed
    autoresponse_type: str
    at: datetime

    def wish(self, tenant: Model) -> str:
        """Return ``STOP``, ``START`` or nothing, with the words of ``tenant``."""
        own = tuple(conf.stop_words_of()(tenant))
        said = wish(self.content.text, self.autoresponse_type, own)
        return said or wish(self.content.postback, "", own)


def inbound_text(payload: Any, *, at: datetime) -> InboundText | None:
    """The text in ``payload`` of ``message.received``; None where it is no such thing."""
    if not isinstance(payload, dict):
        return None
    to, from_number = payload.get("to"), number_of(payload.get("from"))
    to_number = text_of(to) or text_of(first_object(to).get("phone_number"))
    to_agent = not to_number and bool(text_of(first_object(to).get("agent_id")))
    provider_id = text_of(payload.get("id"))
    if not 0 < len(provider_id) <= 64 or not _usable(from_number):
        return None
    if not _usable(to_number) and not to_agent:
        return None
    return InboundText(
        provider_id=provider_id,
        to_number=to_number,
        from_number=from_number,
        content=content(payload),
        billed=billed(payload),
        autoresponse_type=text_of(payload.get("autoresponse_type")),
        at=at,
    )


def tenants_by_number(numbers: set[str]) -> dict[str, Model]:
    field = conf.tenant_number_field()
    tenants = apps.get_model(conf.tenant_model())._default_manager.filter(
        **{f"{field}__in": numbers}
    )
    return {getattr(tenant, field): tenant for tenant in tenants}


def last_to_text(*, from_number: str, to_number: str) -> Model | None:
    """Return the tenant that texted ``to_number`` from ``from_number`` last (empty: from any number).

    People go on answering, and opting out, where they were texted from, though the number may have
    been given up or have gone to another tenant since.
    """
    between = Message.objects.filter(to_number=to_number, direction=Direction.OUTBOUND)
    if from_number:
        between = between.filter(from_number=from_number)
    last = between.select_related("tenant").order_by("-pk").first()
    return last.tenant if last else None


def received(inbound: InboundText, tenant: Model, now: datetime) -> Message:
    """An unsaved row."""
    text = inbound.content.text
    measured = measure(text)
    return Message(
        tenant_id=tenant.pk,
        recipient_id=_sender_id(tenant, inbound.from_number),
        direction=Direction.INBOUND,
        status=Status.RECEIVED,
        to_number=inbound.to_number or getattr(tenant, conf.tenant_number_field()),
        from_number=inbound.from_number,
        text=text,
        thread=conf.thread_of()(tenant, inbound.from_number, now),
        media_urls=list(inbound.content.media_urls),
        encoding=inbound.billed.encoding or Encoding(measured.encoding),
        parts=inbound.billed.parts or min(measured.parts, 32767),
        asks_to_stop=not inbound.wish(tenant) and asks_to_stop(text),
        provider_id=inbound.provider_id,
        provider_status_at=inbound.at,
        created_at=now,
        updated_at=now,
    )


def _sender_id(tenant: Model, number: str) -> Any:
    if (recipient_of := conf.recipient_of()) is not None:
        return recipient_of(tenant, number)
    wanted = {conf.recipient_tenant_field(): tenant, conf.recipient_number_field(): number}
    recipients = apps.get_model(conf.recipient_model())._default_manager.filter(**wanted)
    return recipients.order_by("pk").values_list("pk", flat=True).first()


def _usable(number: str) -> bool:
    return 0 < len(number) <= _LONGEST_NUMBER
