"""A single text as one line of a list, written in Python: a template costs three times as much per line."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.console.words import explain, shortened
from koinonia.models.member import known_name
from koinonia.phone import as_written
from koinonia.templatetags.console import chip, when

_SHOWN = 160
"""Letters of a text in a list."""
_LINE = (
    '<li data-message="{id}" data-status="{status}">'
    '<div class="words"><a href="{base}sent/texts/{id}/" dir="auto">{name}</a>{part}</div>\n'
    '<div class="state">{chip}</div>\n<div class="more" dir="auto">{words}</div>\n'
    '<div class="more quiet">{when}{why}</div></li>\n'
)


class ListedText(NamedTuple):
    """The columns of a text that a line shows: to make a ``Message`` costs as much as the line."""

    pk: int
    status: str
    to_number: str
    text: str
    batch: int | None
    created_at: datetime
    scheduled_at: datetime | None
    error_code: str
    provider: str
    first_name: str | None
    last_name: str | None


def values_of(texts: QuerySet[Message]) -> QuerySet[Message, Any]:
    """Return the values of a ``ListedText`` for each text."""
    *own, first_name, last_name = ListedText._fields
    return texts.values_list(*own, f"recipient__{first_name}", f"recipient__{last_name}")


def text_line(text: ListedText, base: str, country: str) -> SafeString:
    """Return the line of a text. ``base`` is the path of the church, ``country`` its country."""
    name = known_name(text.first_name or "", text.last_name or "")
    if text.status == Status.SCHEDULED:
        goes_out = _("Goes out")
        moment = f"{escape(goes_out)} <b>{when(text.scheduled_at, 'full')}</b>"
    else:
        moment = when(text.created_at)
    from_broadcast = _("from a broadcast")
    part = f' <small class="quiet">{escape(from_broadcast)}</small>'
    # Escape the words here: ``format_html`` would check each id and status as well.
    line = _LINE.format(
        id=ids.encode(text.pk), status=text.status, base=escape(base),
        name=escape(name or as_written(text.to_number, country)),
        part=part if text.batch is not None else "",
        chip=chip(text.status),
        words=escape(shortened(text.text, _SHOWN) or _("(picture)")),
        when=moment,
        why=f" · {escape(explain(text.error_code, text.provider))}" if text.error_code else "",
    )  # fmt: skip
    return mark_safe(line)  # noqa: S308 -- its words are escaped
