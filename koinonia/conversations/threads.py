"""The conversation of a number: found, or begun."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from koinonia.models import Church, Conversation

_AT_ONCE = 500


def thread_of(church: Church, phone: str, *, now: datetime) -> Conversation:
    return Conversation.objects.get_or_create(
        church=church, phone=phone, defaults={"updated_at": now}
    )[0]


def threads_of(church: Church, phones: Collection[str], *, now: datetime) -> dict[str, int]:
    """The key of the conversation with each number; new ones are begun in bulk.

    Two who begin the same ones at a time both end with the same rows: the unique key decides.
    """
    known = _known(church, phones)
    missing = sorted(set(phones) - known.keys())
    if missing:
        rows = [Conversation(church=church, phone=phone, updated_at=now) for phone in missing]
        Conversation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)
        known |= _known(church, missing)
    return known


def _known(church: Church, phones: Collection[str]) -> dict[str, int]:
    wanted = list(phones)
    known: dict[str, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = Conversation.objects.filter(
            church=church, phone__in=wanted[start : start + _AT_ONCE]
        )
        known |= dict(rows.values_list("phone", "pk"))
    return known
