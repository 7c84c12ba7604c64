"""The dead letters that wait, by their cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import Min, OuterRef, Subquery

from delivery import conf
from delivery.dead_letters import explain
from delivery.dead_letters.latest import latest, not_discarded
from delivery.models import Message
from delivery.statuses import DEAD_LETTERS

_READ = 1_000
"""The number of dead letters of each status that a page counts, the latest first."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Cause:
    """An error code with its explanation, and how many of the latest dead letters have it."""

    code: str
    sentence: str
    number: int


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters that wait for a person."""

    causes: list[Cause]
    """The most frequent causes first."""
    complete: bool
    """The causes count all waiting dead letters."""
    last_hour: int
    """Texts that died in the last hour (of the counted ones)."""
    oldest: datetime | None

    @property
    def read(self) -> int:
        return _READ


def letters(now: datetime) -> Letters:
    """Count the latest dead letters. Three queries."""
    rows = not_discarded(Message.objects.watched(*sorted(DEAD_LETTERS)))
    counts: Counter[tuple[str, str]] = Counter()
    complete, last_hour = True, 0
    for some in latest(rows, sorted(DEAD_LETTERS)):
        found = list(some.values_list("error_code", "provider", "dead_since")[:_READ])
        complete = complete and len(found) < _READ
        counts.update((code, provider) for code, provider, _ in found)
        since = now - timedelta(hours=1)
        last_hour += sum(died is not None and died >= since for _, _, died in found)
    causes = [
        Cause(code, explain(code, provider), number)
        for (code, provider), number in counts.most_common(_SHOWN)
    ]
    return Letters(causes, complete, last_hour, _oldest())


def _oldest() -> datetime | None:
    """Return the oldest ``dead_since`` of the waiting letters: one index read per tenant.

    The least of all would be read from every dead letter, and a list by the time from every discarded one.
    """
    mine = Message.objects.dead_letters().by_index_for_people().filter(tenant=OuterRef("pk"))
    first = mine.order_by("dead_since", "pk").values("dead_since")[:1]
    tenants = apps.get_model(conf.tenant_model())._default_manager.order_by()
    found: datetime | None = tenants.annotate(at=Subquery(first)).aggregate(Min("at"))["at__min"]
    return found
