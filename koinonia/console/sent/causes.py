"""The texts of a broadcast, grouped by status and cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from delivery.models import Message
from delivery.statuses import Status
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
_BETWEEN_CODES = ","


@dataclass(slots=True)
class Cause:
    """Texts with the same status, the same reason and the same remedy."""

    status: str
    sentence: Words
    remedy: Words
    number: int = 0
    codes: set[str] = field(default_factory=set)

    @property
    def code(self) -> str:
        """Return the error codes for an address or a form: see ``with_code``."""
        return _BETWEEN_CODES.join(sorted(self.codes))

    @property
    def may_be_sent_again(self) -> bool:
        return self.status in words.NEEDS_ADVICE

    @property
    def may_double(self) -> bool:
        """Return whether some of them may have arrived: a person must allow a second copy."""
        return self.status == Status.UNKNOWN


@dataclass(frozen=True, slots=True)
class Part:
    """A group of texts with its causes."""

    name: str
    label: Words
    number: int
    advice: list[tuple[Words, list[Cause]]]
    """Each remedy once, with its causes."""


def causes(texts: QuerySet[Message]) -> list[Cause]:
    """Return the causes of these texts, the most frequent first. One query."""
    rows = texts.order_by().values_list("status", "error_code", "provider", "error_class")
    merged: dict[tuple[str, str, str], Cause] = {}
    for status, code, provider, error_class, number in rows.annotate(number=Count("pk")):
        sentence = words.explain(code, provider) if code else words.of_status(status).sentence
        needed = status in words.NEEDS_ADVICE
        remedy = words.remedy(code, provider, error_class) if needed else ""
        key = (status, str(sentence), str(remedy))
        cause = merged.setdefault(key, Cause(status, sentence, remedy))
        cause.number += number
        cause.codes.add(code)
    return sorted(merged.values(), key=lambda cause: -cause.number)


def advice(found: Iterable[Cause]) -> list[tuple[Words, list[Cause]]]:
    """Return the causes by remedy, in their order."""
    by_remedy: dict[str, tuple[Words, list[Cause]]] = {}
    for cause in found:
        by_remedy.setdefault(str(cause.remedy), (cause.remedy, []))[1].append(cause)
    return list(by_remedy.values())


def with_code(texts: Any, code: str) -> Any:
    """Return the texts with one of the error codes of a ``Cause.code``."""
    return texts.filter(error_code__in=code.split(_BETWEEN_CODES))


def parts(broadcast: Broadcast) -> list[Part]:
    """Return the groups of a broadcast's texts that are not empty."""
    if broadcast.due_at is not None or broadcast.ended_as:
        return []
    found = causes(Message.objects.filter(tenant=broadcast.church_id, batch=broadcast.pk))
    made = (
        Part(name, label, sum(cause.number for cause in mine), advice(mine))
        for name, (label, statuses) in SHOWN.items()
        for mine in [[cause for cause in found if cause.status in statuses]]
    )
    return [part for part in made if part.number]


def texts_of(rows: Any, name: str, code: str) -> Any:
    """Return the texts of one group of the page."""
    statuses: Iterable[str] = SHOWN[name][1]
    rows = rows.filter(status__in=[str(status) for status in statuses])
    return with_code(rows, code) if code else rows
