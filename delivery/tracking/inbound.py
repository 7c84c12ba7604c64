"""Texts from people to a tenant's number, and their STOP and START."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Model

from delivery import conf, opt_outs
from delivery.changes import Changes
from delivery.content.encoding import measure
from delivery.models import Direction, Message, OptOut, WebhookEvent
from delivery.models.message import Encoding
from delivery.opt_outs import words
from delivery.opt_outs.stop_requests import asks_to_stop
from delivery.providers.base import InboundText
from delivery.statuses import Status
from delivery.tracking.waiting import WaitingEvent

_MAY_YET_BE_OURS = timedelta(hours=1)
_MOST_PARTS = 32767


@dataclass(frozen=True, slots=True)
class Incoming:
    """A stored event and the text in it."""

    event: WaitingEvent
    text: InboundText


@dataclass(frozen=True, slots=True)
class KeywordRequest:
    """A STOP or START of one person to one tenant."""

    tenant_id: Any
    number: str
    word: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewText:
    """A text from a person that this transaction stores, for the host (``DELIVERY["ON_RECEIVED"]``)."""

    tenant: Any
    message: Message
    word: str
    """``STOP``, ``START`` or empty."""
    at: datetime
    """The time at which the provider received it."""


def apply(incoming: Sequence[Incoming], changes: Changes, now: datetime) -> None:
    """Store each text once, apply its STOP or START, and give the events their results.

    Then the host may act on the new texts, in the same transaction and therefore once for each.
    A text without a tenant gets none at first: a number can work before the operator enters it.
    """
    if not incoming:
        return
    tenants = tenants_by_number({item.text.to_number for item in incoming})
    known = _stored(incoming)
    requests: list[KeywordRequest] = []
    new: list[NewText] = []
    for item in sorted(incoming, key=_order):
        text, event = item.text, item.event
        tenant = (
            tenants.get(text.to_number)
            or last_to_text(from_number=text.to_number, to_number=text.from_number)
            or conf.former_tenant()(text.to_number)
        )
        if tenant is None and now - event.received_at < _MAY_YET_BE_OURS:
            continue
        if tenant is None:
            event.result = WebhookEvent.Result.NOT_OURS
        elif (event.provider, text.provider_id) in known:
            event.result = WebhookEvent.Result.SUPERSEDED
        else:
            known.add((event.provider, text.provider_id))
            requests += _keyword_requests(text, tenant)
            message = received(text, tenant, now, provider=event.provider)
            message.save(force_insert=True)
            changes.add(message)
            event.message_id, event.result = message.pk, WebhookEvent.Result.APPLIED
            event.tenant_id = message.tenant_id
            new.append(NewText(tenant, message, _word(text, tenant), text.at))
    _apply_requests(requests, now)
    if new:
        conf.on_received()(new, now)


def tenants_by_number(numbers: set[str]) -> dict[str, Model]:
    field = conf.tenant_number_field()
    tenants = apps.get_model(conf.tenant_model())._default_manager.filter(
        **{f"{field}__in": numbers}
    )
    return {getattr(tenant, field): tenant for tenant in tenants}


def last_to_text(*, from_number: str, to_number: str) -> Model | None:
    """Return the tenant that texted ``to_number`` from ``from_number`` last (empty: from any number).

    People answer, and opt out, to the number that texted them, even after the number has moved to
    another tenant.
    """
    between = Message.objects.filter(to_number=to_number, direction=Direction.OUTBOUND)
    if from_number:
        between = between.filter(from_number=from_number)
    last = between.select_related("tenant").order_by("-pk").first()
    return last.tenant if last else None


def received(text: InboundText, tenant: Model, now: datetime, *, provider: str) -> Message:
    """Return an unsaved message."""
    measured = measure(text.text)
    return Message(
        tenant_id=tenant.pk,
        recipient_id=_recipient_id(tenant, text.from_number),
        direction=Direction.INBOUND,
        status=Status.RECEIVED,
        to_number=text.to_number or getattr(tenant, conf.tenant_number_field()),
        from_number=text.from_number,
        text=text.text,
        thread=conf.thread_of()(tenant, text.from_number, now),
        media_urls=list(text.media_urls),
        encoding=text.billed.encoding or Encoding(measured.encoding),
        parts=text.billed.parts or min(measured.parts, _MOST_PARTS),
        asks_to_stop=not _word(text, tenant) and asks_to_stop(text.text),
        provider=provider,
        provider_id=text.provider_id,
        provider_status_at=text.at,
        created_at=now,
        updated_at=now,
    )


def _stored(incoming: Sequence[Incoming]) -> set[tuple[str, str | None]]:
    ids = {item.text.provider_id for item in incoming}
    rows = Message.objects.filter(provider_id__in=ids)
    return set(rows.values_list("provider", "provider_id"))


def _order(item: Incoming) -> tuple[str, str, datetime, int]:
    # Sort by number, so that two workers begin threads in the same order and cannot deadlock.
    return item.text.to_number, item.text.from_number, item.text.at, item.event.pk


def _recipient_id(tenant: Model, number: str) -> Any:
    if (recipient_of := conf.recipient_of()) is not None:
        return recipient_of(tenant, number)
    wanted = {conf.recipient_tenant_field(): tenant, conf.recipient_number_field(): number}
    recipients = apps.get_model(conf.recipient_model())._default_manager.filter(**wanted)
    return recipients.order_by("pk").values_list("pk", flat=True).first()


def _word(text: InboundText, tenant: Model) -> str:
    """Return ``STOP``, ``START`` or nothing, by the provider and by the keywords of ``tenant``."""
    own = tuple(conf.stop_words_of()(tenant))
    said = words.requested(text.text, text.keyword, own)
    return said or words.requested(text.postback, "", own)


def _keyword_requests(text: InboundText, tenant: Model) -> Iterator[KeywordRequest]:
    """Yield what ``text`` asks of ``tenant``, and a STOP also of the tenant that texted the person
    last from the number, which may have moved to ``tenant`` since."""
    word = _word(text, tenant)
    concerned = {tenant.pk}
    if word == "STOP":
        last = last_to_text(from_number=text.to_number, to_number=text.from_number)
        concerned |= {last.pk} if last is not None else set()
    if word:
        for pk in concerned:
            yield KeywordRequest(pk, text.from_number, word, text.at)


def _apply_requests(requests: Sequence[KeywordRequest], now: datetime) -> None:
    """Write the opt-outs. The newer of STOP and START counts, in any order of arrival.

    Call it when the texts are saved: a STOP looks for a later START.
    """
    # All workers use one order, so that two of them cannot deadlock.
    for request in sorted(
        requests, key=lambda request: (str(request.tenant_id), request.number, request.at)
    ):
        if request.word == "START":
            opt_outs.opt_in(request.tenant_id, request.number, at=request.at)
        elif not opt_outs.started_since(request.at, request.tenant_id, request.number):
            at = min(request.at, now)
            opt_outs.opt_out(request.tenant_id, request.number, OptOut.Source.KEYWORD, now=at)
