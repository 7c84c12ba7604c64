"""A batch of texts that came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.changes import Changes
from delivery.models import Message, WebhookEvent
from delivery.tracking.inbound import InboundText, obey, received, tenants_by_number


@dataclass(frozen=True, slots=True)
class Incoming:
    """A stored event and the text it brings."""

    event: WebhookEvent
    text: InboundText


def apply(incoming: Sequence[Incoming], changes: Changes, now: datetime) -> None:
    """Make a row of each text that is not one already, do what it asks, and mark the events."""
    if not incoming:
        return
    tenants = tenants_by_number({item.text.to_number for item in incoming})
    known = set(
        Message.objects.filter(
            provider_id__in={item.text.provider_id for item in incoming}
        ).values_list("provider_id", flat=True)
    )
    for item in sorted(incoming, key=_order):
        item.event.applied_at = now
        tenant = tenants.get(item.text.to_number)
        if tenant is None:
            item.event.result = WebhookEvent.Result.NOT_OURS
        elif item.text.provider_id in known:
            item.event.result = WebhookEvent.Result.SUPERSEDED
        else:
            known.add(item.text.provider_id)
            obey(item.text, tenant, now)
            message = received(item.text, tenant, now)
            message.save(force_insert=True)
            changes.add(message)
            item.event.message, item.event.result = message, WebhookEvent.Result.APPLIED


def _order(item: Incoming) -> tuple[str, str, datetime, int]:
    # By number, so that two workers touch opt-outs in the same order.
    return item.text.to_number, item.text.from_number, item.text.at, item.event.pk
