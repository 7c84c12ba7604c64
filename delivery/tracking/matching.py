"""Which message does a report speak of?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from delivery.models import Direction, Message, WebhookEvent
from delivery.references import message_id
from delivery.tracking.report import StatusReport


@dataclass(frozen=True, slots=True)
class Reported:
    """A stored event and what it says."""

    event: WebhookEvent
    report: StatusReport


class Messages:
    """The messages that some reports may speak of, locked in the order of ids."""

    def __init__(self, reported: Iterable[Reported]) -> None:
        ids, refs = set(), set()
        for item in reported:
            ids.add(item.report.provider_id)
            refs.add(message_id(item.event.ref))
        rows = Message.objects.filter(
            Q(provider_id__in=ids) | Q(pk__in=refs - {None}), direction=Direction.OUTBOUND
        ).locked()
        self.by_id: Mapping[int, Message] = {row.pk: row for row in rows}
        self._by_provider_id = {row.provider_id: row for row in rows if row.provider_id}

    def of(self, item: Reported) -> Message | None:
        """By the provider's id; else by our reference, which must agree with both numbers."""
        found = self._by_provider_id.get(item.report.provider_id)
        if found is None:
            referred = self.by_id.get(message_id(item.event.ref) or 0)
            found = referred if referred and _agrees(item.report, referred) else None
        return found


def _agrees(report: StatusReport, message: Message) -> bool:
    return (report.to_number, report.from_number) == (message.to_number, message.from_number)
