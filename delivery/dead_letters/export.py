"""Dead letters as CSV (RFC 4180), a line at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps

from delivery import conf
from delivery.csv_lines import line
from delivery.dead_letters.queue import masked
from delivery.dead_letters.reasons import explain
from delivery.models import Message
from delivery.models.queue import MessageQuerySet

_COLUMNS = (
    "id", "tenant", "to", "status", "code", "title", "class", "explanation", "attempts", "parts",
    "created_at", "dead_since", "reviewed_by", "discarded_reason",
)  # fmt: skip

_READ_SIZE = 500


def export(letters: MessageQuerySet, *, full_numbers: bool = False) -> Iterator[str]:
    """Yield the lines, heading first. Numbers are masked unless the tenant's staff asks."""
    yield line(_heading())
    for letter in _in_slices(letters):
        yield line(_cells(letter, full_numbers))


def _heading() -> list[str]:
    """Return the column names, with the host's word for a tenant."""
    tenant = str(apps.get_model(conf.tenant_model())._meta.verbose_name)
    return [tenant if name == "tenant" else name for name in _COLUMNS]


def _in_slices(letters: MessageQuerySet) -> Iterator[Message]:
    """Yield the letters in their order, read in slices, without a server-side cursor.

    A letter that is decided on during the export is left out.
    """
    keys = list(letters.values_list("pk", flat=True))
    for start in range(0, len(keys), _READ_SIZE):
        part = keys[start : start + _READ_SIZE]
        rows = letters.filter(pk__in=part).select_related("tenant", "reviewed_by")
        found = {letter.pk: letter for letter in rows.order_by()}
        yield from (found[key] for key in part if key in found)


def _cells(letter: Message, full_numbers: bool) -> Iterable[object]:
    return (
        letter.pk,
        letter.tenant,
        letter.to_number if full_numbers else masked(letter.to_number),
        letter.status,
        letter.error_code,
        letter.error_title,
        letter.error_class,
        explain(letter.error_code, letter.provider),
        letter.calls,
        letter.parts,
        letter.created_at.isoformat(timespec="seconds"),
        letter.dead_since.isoformat(timespec="seconds") if letter.dead_since else "",
        letter.reviewed_by or "",
        letter.discarded_reason,
    )
