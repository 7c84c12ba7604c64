"""The texts of a broadcast, grouped by status and cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from delivery.models import Message
from delivery.statuses import DEAD_LETTERS, Status
from koinonia.console import words
from koinonia.console.sent import lines
from koinonia.console.words import Words
from koinonia.models import Broadcast

SHOWN: dict[str, tuple[Words, tuple[str, ...]]] = {
    "reached": (_("Got it"), lines.REACHED),
    "way": (_("On their way"), lines.ON_THE_WAY),
    "waiting": (_("Still wait"), lines.WAITING),
    "failed": (_("Did not get it"), lines.NOT_REACHED),
    "left": (_("Left out"), lines.LEFT_OUT),
}
"""The groups of a broadcast's texts, by the name in the address."""
_RETRIED = frozenset({*DEAD_LETTERS, Status.FAILED, Status.EXPIRED})


@dataclass(frozen=True, slots=True)
class Cause:
    """Texts with the same status and the same reason."""

    status: str
    code: str
    number: int
    sentence: Words
    remedy: Words
    may_be_sent_again: bool
    may_double: bool
    """True if some of them may have arrived: a person must allow a second copy."""


@dataclass(frozen=True, slots=True)
class Part:
    """A group of texts with its causes."""

    name: str
    label: Words
    number: int
    causes: list[Cause]


def causes(texts: QuerySet[Message]) -> list[Cause]:
    """Return the causes of these texts, the most frequent first. One query."""
    rows = texts.order_by().values_list("status", "error_code", "provider")
    merged: dict[tuple[str, str], Cause] = {}
    for status, code, provider, number in rows.annotate(number=Count("pk")):
        known = merged.get((status, code))
        merged[status, code] = _cause(
            status, code, provider, number + (known.number if known else 0)
        )
    return sorted(merged.values(), key=lambda cause: -cause.number)


def parts(broadcast: Broadcast) -> list[Part]:
    """Return the groups of a broadcast's texts that are not empty."""
    if broadcast.due_at is not None or broadcast.ended_as:
        return []
    found = causes(Message.objects.filter(tenant=broadcast.church_id, batch=broadcast.pk))
    made = (
        Part(name, label, sum(cause.number for cause in mine), mine)
        for name, (label, statuses) in SHOWN.items()
        for mine in [[cause for cause in found if cause.status in statuses]]
    )
    return [part for part in made if part.number]


def texts_of(rows: Any, name: str, code: str) -> Any:
    """Return the texts of one group of the page."""
    statuses: Iterable[str] = SHOWN[name][1]
    rows = rows.filter(status__in=[str(status) for status in statuses])
    return rows.filter(error_code=code) if code else rows


def _cause(status: str, code: str, provider: str, number: int) -> Cause:
    again = status in _RETRIED
    return Cause(
        status=status,
        code=code,
        number=number,
        sentence=words.explain(code, provider) if code else words.of_status(status).sentence,
        remedy=words.remedy(code) if again else "",
        may_be_sent_again=again,
        may_double=status == Status.UNKNOWN,
    )
