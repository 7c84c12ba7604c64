"""Texts to a tenant's number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model

from delivery import conf, opt_outs
from delivery.encoding import measure
from delivery.models import Direction, Message, OptOut
from delivery.models.message import Encoding
from delivery.statuses import Status
from delivery.tracking.report import first_object, number_of, text_of

_LONGEST_NUMBER = 16
_MOST_MEDIA = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundText:
    """One text to one of our numbers."""

    provider_id: str
    to_number: str
    from_number: str
    text: str
    media_urls: tuple[str, ...]
    wish: str
    at: datetime


def inbound_text(payload: Any, *, at: datetime) -> InboundText | None:
    """The text in ``payload`` of ``message.received``; None where it is no such thing."""
    if not isinstance(payload, dict):
        return None
    to_number = text_of(first_object(payload.get("to")).get("phone_number"))
    from_number, provider_id = number_of(payload.get("from")), text_of(payload.get("id"))
    if not 0 < len(provider_id) <= 64 or not _usable(to_number) or not _usable(from_number):
        return None
    text = text_of(payload.get("text"))
    return InboundText(
        provider_id=provider_id,
        to_number=to_number,
        from_number=from_number,
        text=text,
        media_urls=_media_urls(payload.get("media")),
        wish=opt_outs.wish(text, text_of(payload.get("autoresponse_type"))),
        at=at,
    )


def tenants_by_number(numbers: set[str]) -> dict[str, Model]:
    field = conf.tenant_number_field()
    tenants = apps.get_model(conf.tenant_model())._default_manager.filter(
        **{f"{field}__in": numbers}
    )
    return {getattr(tenant, field): tenant for tenant in tenants}


def last_to_text(*, from_number: str, to_number: str) -> Model | None:
    """The tenant that texted ``to_number`` from ``from_number`` last, which it may have given up since:
    people go on answering, and opting out, where they were texted from."""
    between = Message.objects.filter(
        to_number=to_number, from_number=from_number, direction=Direction.OUTBOUND
    )
    last = between.select_related("tenant").order_by("-pk").first()
    return last.tenant if last else None


def received(inbound: InboundText, tenant: Model, now: datetime) -> Message:
    """An unsaved row."""
    measured = measure(inbound.text)
    return Message(
        tenant_id=tenant.pk,
        recipient_id=_sender_id(tenant, inbound.from_number),
        direction=Direction.INBOUND,
        status=Status.RECEIVED,
        to_number=inbound.to_number,
        from_number=inbound.from_number,
        text=inbound.text,
        thread=conf.thread_of()(tenant, inbound.from_number, now),
        media_urls=list(inbound.media_urls),
        encoding=Encoding(measured.encoding),
        parts=min(measured.parts, 32767),
        provider_id=inbound.provider_id,
        provider_status_at=inbound.at,
        created_at=now,
        updated_at=now,
    )


def obey(inbound: InboundText, tenant: Model, now: datetime) -> None:
    """STOP and START. The newer of the two holds, whichever arrives first."""
    if inbound.wish == "START":
        opt_outs.opt_in(tenant.pk, inbound.from_number, at=inbound.at)
    elif inbound.wish == "STOP" and not opt_outs.started_since(
        inbound.at, tenant.pk, inbound.from_number
    ):
        opt_outs.opt_out(
            tenant.pk, inbound.from_number, OptOut.Source.KEYWORD, now=min(inbound.at, now)
        )


def _sender_id(tenant: Model, number: str) -> Any:
    if (recipient_of := conf.recipient_of()) is not None:
        return recipient_of(tenant, number)
    wanted = {conf.recipient_tenant_field(): tenant, conf.recipient_number_field(): number}
    recipients = apps.get_model(conf.recipient_model())._default_manager.filter(**wanted)
    return recipients.order_by("pk").values_list("pk", flat=True).first()


def _usable(number: str) -> bool:
    return 0 < len(number) <= _LONGEST_NUMBER


def _media_urls(media: Any) -> tuple[str, ...]:
    if not isinstance(media, list):
        return ()
    urls = [text_of(item.get("url")) for item in media[:_MOST_MEDIA] if isinstance(item, dict)]
    return tuple(url for url in urls if url)
