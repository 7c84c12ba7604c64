"""Export and erase the data of one phone number.

An erased message keeps its row, its status and its times, so that no count changes. Number, words and the
provider's payloads go. An opt-out stays, with its history: without the number nobody could honour it.
Agreements go, and so do the names of the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from delivery.models import (
    Attempt,
    ConsentChange,
    DeadLetterAction,
    Direction,
    Message,
    OptOut,
    WebhookEvent,
)
from delivery.models.queue import MessageQuerySet
from delivery.retention.texts import values_of
from delivery.statuses import DEAD_LETTERS, ON_ITS_WAY, UNFINISHED

_AT_ONCE = 200
ERASED = "erased"


def messages_of(number: str, tenants: Collection[Any], threads: Collection[int]) -> MessageQuerySet:
    """Return the messages to and from ``number``. ``threads`` are the host's threads with it."""
    theirs = Q(to_number=number) | Q(thread__in=threads, from_number=number)
    return Message.objects.filter(theirs, tenant__in=tenants).order_by("pk")


def held(number: str, tenants: Collection[Any], threads: Collection[int]) -> dict[str, Any]:
    """Return the rows about the number."""
    messages = messages_of(number, tenants, threads)
    keys = messages.order_by().values("pk")
    return {
        "texts": _rows(messages),
        "attempts": _rows(Attempt.objects.filter(message__in=keys)),
        "decisions": _rows(DeadLetterAction.objects.filter(message__in=keys)),
        "webhook_events": _rows(_events(number)),
        "opt_outs": _rows(OptOut.objects.filter(number=number, tenant__in=tenants)),
        "consent_changes": _rows(ConsentChange.objects.filter(number=number, tenant__in=tenants)),
    }


def erase(
    number: str, tenants: Collection[Any], threads: Collection[int], now: datetime
) -> Counter[str]:
    """Erase the number and its words. Return how many rows of each kind were erased, and how many texts wait.

    A message that waits or is on its way stays for now (``not_yet``): the provider's report about it may
    be an opt-out.
    """
    counts = Counter[str]()
    messages = messages_of(number, tenants, threads)
    in_flight = Q(status__in=sorted(UNFINISHED | ON_ITS_WAY))
    counts["agreements"] = _erase_agreements(number, tenants)
    for keys in _slices(messages.exclude(in_flight)):
        with transaction.atomic():
            rows = list(Message.objects.filter(pk__in=keys).exclude(in_flight).locked())
            for row in rows:
                _erase(row, now)
            Message.objects.bulk_update(rows, _ERASED_FIELDS)
            keys = [row.pk for row in rows]
            Attempt.objects.filter(message__in=keys).update(detail="")
            DeadLetterAction.objects.filter(message__in=keys).update(reason="")
        counts["texts"] += len(rows)
    counts["not_yet"] = messages.filter(in_flight).count()
    for keys in _slices(_events(number).exclude(applied_at__isnull=True)):
        # The row stays: it says that the event was applied.
        counts["webhook_events"] += WebhookEvent.objects.filter(pk__in=keys).update(payload={})
    return counts


_ERASED_FIELDS = [
    "to_number", "from_number", "text", "template", "media_urls", "recipient", "recipient_gone",
    "asks_to_stop", "discarded_at", "discarded_reason",
]  # fmt: skip


def _erase(row: Message, now: datetime) -> None:
    inbound = row.direction == Direction.INBOUND
    # Different for each message: a number is unique in a batch.
    name = f"{ERASED}{row.pk}"[:16]
    row.to_number, row.from_number = (row.to_number, name) if inbound else (name, row.from_number)
    row.text = row.template = ""
    row.media_urls, row.recipient, row.recipient_gone, row.asks_to_stop = [], None, True, False
    row.discarded_reason = ""
    if row.status in DEAD_LETTERS and row.discarded_at is None:
        row.discarded_at, row.discarded_reason = now, ERASED


def _erase_agreements(number: str, tenants: Collection[Any]) -> int:
    changes = ConsentChange.objects.filter(number=number, tenant__in=tenants)
    changes.exclude(file_name="").update(file_name="")
    agreements = changes.filter(opted_out=False, source=ConsentChange.Source.FILE)
    return agreements.delete()[0]


def _events(number: str) -> QuerySet[WebhookEvent]:
    """Return the events that name the number. Reads all of them: they are kept for some weeks."""
    written = WebhookEvent.objects.alias(written=Cast("payload", TextField()))
    return written.filter(written__contains=number).order_by("pk")


def _slices(rows: QuerySet[Any]) -> Iterator[list[int]]:
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _rows(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    return [values_of(row) for row in rows.order_by("pk")]
