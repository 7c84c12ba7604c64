"""A broadcast as one line: its bar, its share and its counts in words.

A line of the list is written in Python: a template costs several times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext, ngettext_lazy
from django.utils.translation import gettext as _

from delivery.statuses import ON_ITS_WAY, UNFINISHED, Status
from koinonia import ids
from koinonia.console.words import Words, shortened
from koinonia.models import Broadcast
from koinonia.numbers import grouped as shown
from koinonia.templatetags.console import when

_SHOWN = 90
"""Letters of a text in a list."""
REACHED = (Status.DELIVERED, Status.UNCONFIRMED)
ON_THE_WAY = tuple(sorted(ON_ITS_WAY))
WAITING = tuple(sorted(UNFINISHED))
NOT_REACHED = (Status.FAILED, Status.DEAD, Status.UNKNOWN, Status.EXPIRED)
GONE = (*REACHED, *ON_THE_WAY, Status.SENDING, Status.FAILED, Status.UNKNOWN)
"""Statuses of texts that have left, or may have."""
LEFT_OUT = (Status.SUPPRESSED, Status.CANCELLED)

LABELS: dict[str, tuple[Words, str]] = {
    Broadcast.Status.SCHEDULED: (gettext_lazy("Scheduled"), "rest"),
    Broadcast.Status.SENDING: (gettext_lazy("Going out"), "calm"),
    Broadcast.Status.DONE: (gettext_lazy("Done"), "good"),
    Broadcast.Status.CANCELLED: (gettext_lazy("Stopped"), "warn"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Shows a broadcast in a list."""

    broadcast: Broadcast
    id: str
    label: Words
    tone: str
    is_going_out: bool
    share: str
    """The per cent of the texts that do not wait."""
    bar: SafeString
    text: str
    """The beginning of the text."""
    counts: str
    """The counts as a sentence."""
    people: str
    """The people that a planned broadcast would reach now."""
    begun_at: datetime
    author: str


def line(broadcast: Broadcast) -> Line:
    """Return the line of a broadcast with known counts."""
    counts, status = broadcast.counts(), broadcast.status
    total = sum(counts.values())
    label, tone = LABELS.get(status, (status, "rest"))
    gone = total - number(counts, WAITING)
    expected = broadcast.total - broadcast.forecast_suppressed
    return Line(
        broadcast=broadcast,
        id=ids.encode(broadcast.pk),
        label=label,
        tone=tone,
        is_going_out=status == Broadcast.Status.SENDING,
        share=_("%(n)s %%") % {"n": 100 * gone // total if total else 0},
        bar=_bar(counts, total),
        text=shortened(broadcast.text, _SHOWN),
        counts=in_words(counts),
        people=ngettext("to %(n)s person", "to %(n)s people", expected) % {"n": shown(expected)},
        begun_at=broadcast.scheduled_at or broadcast.created_at,
        author=broadcast.author.get_username() if broadcast.author else "",
    )


_PLANNED = (
    '<li data-broadcast="{id}"><div class="words">'
    '<a href="{base}sent/broadcasts/{id}/" dir="auto">{text}</a></div>\n'
    '<div class="state"><span class="chip" data-tone="{tone}">{label}</span></div>\n'
    '<div class="more quiet">{goes_out} <b>{when}</b> · {people}</div></li>\n'
)
_SENT = (
    '<li data-broadcast="{id}"><div class="words">'
    '<a href="{base}sent/broadcasts/{id}/" dir="auto">{text}</a></div>\n'
    '<div class="state"><span class="chip" data-tone="{tone}">{label}</span>{share}</div>\n'
    '<div class="more">{bar}</div>\n'
    '<div class="more quiet">{counts} · {when}{author}</div></li>\n'
)


def list_line(broadcast: Broadcast, base: str) -> SafeString:
    """Return a broadcast as a line of a list; ``base`` is the path of the church."""
    return (
        _sent_line(broadcast, base) if broadcast.due_at is None else _planned_line(broadcast, base)
    )


def _planned_line(broadcast: Broadcast, base: str) -> SafeString:
    of = line(broadcast)
    return format_html(
        _PLANNED, id=of.id, base=base, text=of.text, tone=of.tone, label=of.label,
        goes_out=_("Goes out"), when=when(broadcast.due_at, "full"), people=of.people,
    )  # fmt: skip


def _sent_line(broadcast: Broadcast, base: str) -> SafeString:
    of = line(broadcast)
    # Escape the words here: ``format_html`` would check each id and number as well.
    written = _SENT.format(
        id=of.id, base=escape(base), text=escape(of.text), tone=of.tone, label=escape(str(of.label)),
        share=f" <b>{escape(of.share)}</b>" if of.is_going_out else "",
        bar=of.bar, counts=escape(of.counts), when=when(of.begun_at),
        author=f" · {escape(of.author)}" if of.author else "",
    )  # fmt: skip
    return mark_safe(written)  # noqa: S308 -- its words are escaped


def number(counts: Mapping[str, int], statuses: tuple[str, ...]) -> int:
    return sum(counts.get(status, 0) for status in statuses)


_WORDS: tuple[tuple[tuple[str, ...], Words], ...] = (
    (REACHED, ngettext_lazy("%(n)s delivered", "%(n)s delivered", "number")),
    (ON_THE_WAY, ngettext_lazy("%(n)s on its way", "%(n)s on their way", "number")),
    (WAITING, ngettext_lazy("%(n)s waits", "%(n)s wait", "number")),
    (NOT_REACHED, ngettext_lazy("%(n)s not reached", "%(n)s not reached", "number")),
    ((Status.SUPPRESSED,), ngettext_lazy("%(n)s opted out", "%(n)s opted out", "number")),
    ((Status.CANCELLED,), ngettext_lazy("%(n)s called back", "%(n)s called back", "number")),
)


def in_words(counts: Mapping[str, int]) -> str:
    """Return the counts as words, without zeros: "297 delivered · 2 not reached"."""
    numbers = [number(counts, statuses) for statuses, _words in _WORDS]
    language = get_language()
    known = [_count(index, n, language) for index, n in enumerate(numbers) if n]
    return " · ".join(known) or _("Nobody")


@lru_cache(maxsize=4096)
def _count(index: int, n: int, _language: str | None) -> str:
    """Return a number of ``_WORDS`` in the active language. To choose a plural is slow."""
    _statuses, words = _WORDS[index]
    return str(words % {"number": n, "n": shown(n)})


def _bar(counts: Mapping[str, int], total: int) -> SafeString:
    """Return the bar as SVG. A sentence next to it says the same."""
    parts = "".join(
        f'<rect class="{tone}" x="{x:.2f}" y="0" width="{width:.2f}" height="4"/>'
        for tone, x, width in _parts(counts, total)
    )
    # Words of this file and numbers: nothing is to be escaped.
    return mark_safe(  # noqa: S308 -- numbers and tones
        '<svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false">{parts}</svg>'
    )


def _parts(counts: Mapping[str, int], total: int) -> Iterator[tuple[str, float, float]]:
    """Yield tone, place and width of each part, in percent of the width."""
    x = 0.0
    for tone, statuses in (
        ("good", REACHED),
        ("calm", ON_THE_WAY),
        ("bad", NOT_REACHED),
        ("rest", LEFT_OUT),
    ):
        width = 100 * number(counts, statuses) / total if total else 0
        if width:
            yield tone, x, width
        x += width
