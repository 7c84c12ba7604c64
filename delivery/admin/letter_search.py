"""The search of the dead letter queue: whole numbers and ids, so that each query uses an index."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

SEARCH_HELP = (
    "A number, whole, as +13125550142; the number or id of a text; the provider's id of it."
)
_LARGEST_KEY = 2**63 - 1
_NUMBER = re.compile(r"\+[0-9]{7,15}")
_PUNCTUATION = str.maketrans("", "", " -().\u00a0")


def search(
    rows: QuerySet[Any], term: str, public_key: Callable[[str], int | None]
) -> QuerySet[Any]:
    """Return the rows that ``term`` names.

    ``public_key`` returns the key behind an id that the host shows to its users, or None.
    """
    term = term.replace("\0", "").strip()[:100]
    if not term:
        return rows
    if number := number_in(term):
        return rows.filter(to_number=number)
    wanted = Q(provider_id=term)
    keys = {public_key(term), _key(term.removeprefix("#"))} - {None}
    return rows.filter(wanted | Q(pk__in=keys)) if keys else rows.filter(wanted)


def number_in(term: str) -> str:
    """Return the whole number, E.164, of words like ``+1 (312) 555-0142``; "" for other words."""
    number = term.translate(_PUNCTUATION)
    return number if _NUMBER.fullmatch(number) else ""


def _key(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if int(text) <= _LARGEST_KEY else None
