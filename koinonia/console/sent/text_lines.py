"""A single text as one line of a list, written in Python: a template costs three times as much per line."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.console.words import explain, shortened
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


def text_line(text: Message, base: str, country: str) -> SafeString:
    """Return the line of a text that was read with its recipient.

    ``base`` is the path of the church, ``country`` its country.
    """
    moment: SafeString | str
    if text.status == Status.SCHEDULED:
        moment = format_html("{} <b>{}</b>", _("Goes out"), when(text.scheduled_at, "full"))
    else:
        moment = when(text.created_at)
    return format_html(
        _LINE, id=ids.encode(text.pk), status=text.status, base=base,
        name=getattr(text.recipient, "name", "") or as_written(text.to_number, country),
        part=_part() if text.batch is not None else "",
        chip=chip(text.status),
        words=shortened(text.text, _SHOWN) or _("(picture)"),
        when=moment,
        why=f" · {explain(text.error_code, text.provider)}" if text.error_code else "",
    )  # fmt: skip


def _part() -> SafeString:
    return format_html(' <small class="quiet">{}</small>', _("from a broadcast"))
