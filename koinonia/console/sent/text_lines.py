"""A single text as one line of a list, made in Python: templates cost more per line."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.console.words import explain, shortened
from koinonia.templatetags.console import chip, when

_SHOWN = 160
"""Letters of a text in a list."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A text to one person."""

    id: str
    status: str
    name: str
    """The member, or the number that belongs to none."""
    chip: SafeString
    words: str
    is_part: bool
    """The text belongs to a broadcast."""
    planned: SafeString | str
    """The time at which it goes out; empty if it does not wait for a time."""
    made: SafeString | str
    why: str
    """The sentence of its error; else empty."""


def text_line(text: Message) -> TextLine:
    """Return the line of a text that was read with its recipient."""
    is_planned = text.status == Status.SCHEDULED
    return TextLine(
        id=ids.encode(text.pk),
        status=text.status,
        name=getattr(text.recipient, "name", "") or text.to_number,
        chip=chip(text.status),
        words=shortened(text.text, _SHOWN) or _("(picture)"),
        is_part=text.batch is not None,
        planned=when(text.scheduled_at, "full") if is_planned else "",
        made="" if is_planned else when(text.created_at),
        why=explain(text.error_code, text.provider) if text.error_code else "",
    )
