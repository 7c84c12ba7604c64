"""Tags of the console's templates: chips, times of the church, charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.formats import date_format, time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone, now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from delivery.desk import charts
from delivery.models import Message
from koinonia import phone
from koinonia.console import words
from koinonia.console.help.questions import answer_link
from koinonia.models.member import called
from koinonia.numbers import grouped

register = template.Library()
register.filter(phone.as_written)
register.filter(called)


@register.simple_tag
def chip(status: str) -> SafeString:
    """Return the chip of a status of a text."""
    return _chip(status, get_language())


@lru_cache(maxsize=256)
def _chip(status: str, _language: str | None) -> SafeString:
    """Return the chip in the active language."""
    found = words.of_status(status)
    return format_html(
        '<span class="chip" data-tone="{}" title="{}">{}</span>',
        found.tone,
        found.sentence,
        found.label,
    )


@register.simple_tag(takes_context=True)
def answer(context: Context, anchor: str) -> SafeString:
    """Return the link to an answer of the help page: ``{% answer "import" %}``."""
    return answer_link(context["church"].slug, anchor)


@register.filter
def is_picture_of(url: str, request: HttpRequest) -> bool:
    """Return whether the URL is a picture of this site: the page may load no others."""
    split = urlsplit(url)
    return split.netloc == request.get_host() and split.path.endswith((".jpg", ".png", ".gif"))


@register.filter
def explained(code: str, provider: str) -> str:
    """Return the sentence of an error code: ``{{ message.error_code|explained:message.provider }}``."""
    return words.explain(code, provider)


@register.filter
def remedy(message: Message) -> str:
    """Return advice for the office about a text: ``{{ message|remedy }}``."""
    return str(words.remedy_for(message))


@register.filter
def number(value: int | float | None) -> str:
    """Return the number with the separators of the language."""
    if value is None:
        return ""
    return grouped(value)


@register.simple_tag
def when(moment: datetime | None, style: str = "") -> SafeString | str:
    """Return the time of the church: ``{% when message.created_at %}``.

    Today only the clock is shown; else the weekday, the date and the clock. ``style`` "full" always
    shows all; "day" shows another day without the clock, and the last days by their names.
    """
    if moment is None:
        return ""
    zone, present = get_current_timezone(), now()
    is_recent = style == "day" and present - moment < timedelta(days=6)
    today = present.astimezone(zone).date()
    return _when(moment, style, is_recent, today, zone, get_language())


@lru_cache(maxsize=4096)
def _when(
    moment: datetime, style: str, is_recent: bool, today: date, zone: tzinfo, language: str | None
) -> SafeString:
    """Return the time in the active language. A page that is opened again shows the same times."""
    here = moment.astimezone(zone)
    clock = _clock(here.hour, here.minute, language)
    if style != "full" and here.date() == today:
        shown = clock
    elif style == "day":
        shown = _day(here.date(), "l" if is_recent else "SHORT_DATE_FORMAT", language)
    else:
        shown = _("%(weekday)s, %(day)s, %(clock)s") % {
            "weekday": _day(here.date(), "l" if style == "full" else "D", language),
            "day": _day(
                here.date(),
                "DATE_FORMAT" if here.year != today.year else "MONTH_DAY_FORMAT",
                language,
            ),
            "clock": clock,
        }
    return format_html('<time datetime="{}">{}</time>', here.isoformat(timespec="seconds"), shown)


@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, _language: str | None) -> str:
    """Return the time of a day in the active language; Django's formats cost more than a row."""
    return time_format(time(hour, minute), "TIME_FORMAT")


def day_in_words(day: date, form: str) -> str:
    """Return the day in the active language, in a format of Django."""
    return _day(day, form, get_language())


@lru_cache(maxsize=4096)
def _day(day: date, form: str, _language: str | None) -> str:
    return date_format(day, form)


@register.inclusion_tag("koinonia/console/_bars.html")
def bars(
    rows: Sequence[tuple[str, Sequence[int]]],
    series: Sequence[tuple[str, str]],
    title: str,
    first: str = "",
) -> dict[str, Any]:
    """Return stacked bars as SVG, with the same figures in a table. Both are written in Python.

    ``rows``: label and numbers of each bar. ``series``: label and tone of each number. ``first`` is
    the heading of the labels.
    """
    drawn = charts.stacked(rows, series, write=number)
    return {**drawn, "title": title, "first": first or _("Day")}
