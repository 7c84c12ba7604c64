"""The size class of a church: a label with four values instead of one per church.

A worker reads the classes about once a second between its drains, so that counting a text costs no
query. Until then, and in a process that sends only inside requests, the class is ``unknown``.
"""

from __future__ import annotations

import time
from typing import Any

from koinonia.models import Member

UNKNOWN = "unknown"
_CLASSES = ((200, "small"), (2000, "medium"))
_LARGEST = "large"
_KEPT_SECONDS = 3600.0
_MOST_AT_ONCE = 20
_MOST_KEPT = 50_000

_known: dict[Any, tuple[str, float]] = {}
_wanted: set[Any] = set()


def size_of(church_id: Any) -> str:
    """Return ``small`` (below 200 members), ``medium`` (below 2,000), ``large`` or ``unknown``."""
    known = _known.get(church_id)
    if known is None or time.monotonic() > known[1]:
        if len(_wanted) < _MOST_KEPT:
            _wanted.add(church_id)
        return known[0] if known else UNKNOWN
    return known[0]


def read_wanted() -> None:
    """Read the classes of some churches that were asked for."""
    for church_id in [_wanted.pop() for _ in range(min(len(_wanted), _MOST_AT_ONCE))]:
        members = Member.objects.filter(church_id=church_id)[: _CLASSES[-1][0]].count()
        size = next((name for limit, name in _CLASSES if members < limit), _LARGEST)
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        _known[church_id] = size, time.monotonic() + _KEPT_SECONDS
