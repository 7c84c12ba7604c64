"""A batch of texts that came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery import conf
from delivery.changes import Changes
from delivery.models import Message, WebhookEvent
from delivery.tracking import wishes
from delivery.tracking.inbound import InboundText, last_to_text, received, tenants_by_number

_MAY_YET_BE_OURS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A stored event and the text it brings."""

    event: WebhookEvent
    text: InboundText


def apply(incoming: Sequence[Incoming], changes: Changes, now: datetime) -> list[Incoming]:
    """Make a row of each text that is not one already, do what it asks, and mark the events; returns
    those of no tenant, which may yet be one's: a number is at work before it is entered."""
    if not incoming:
        return []
    tenants = tenants_by_number({item.text.to_number for item in incoming})
    known = set(
        Message.objects.filter(
            provider_id__in={item.text.provider_id for item in incoming}
        ).values_list("provider_id", flat=True)
    )
    unclaimed = []
    asked: list[wishes.Wish] = []
    for item in sorted(incoming, key=_order):
        text, event = item.text, item.event
        tenant = (
            tenants.get(text.to_number)
            or last_to_text(from_number=text.to_number, to_number=text.from_number)
            or conf.former_tenant()(text.to_number)
        )
        if tenant is None and now - event.received_at < _MAY_YET_BE_OURS:
            unclaimed.append(item)
            continue
        event.applied_at = now
        if tenant is None:
            event.result = WebhookEvent.Result.NOT_OURS
        elif text.provider_id in known:
            event.result = WebhookEvent.Result.SUPERSEDED
        else:
            known.add(text.provider_id)
            asked += wishes.of(text, tenant)
            message = received(text, tenant, now)
            message.save(force_insert=True)
            changes.add(message)
            event.message, event.result = message, WebhookEvent.Result.APPLIED
    wishes.obey(asked, now)
    return unclaimed


def _order(item: Incoming) -> tuple[str, str, datetime, int]:
    # By number, so that two workers begin threads in the same order and cannot deadlock.
    return item.text.to_number, item.text.from_number, item.text.at, item.event.pk
