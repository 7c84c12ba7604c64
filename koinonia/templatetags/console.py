"""Tags of the console's templates: chips, times of the church, charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

from delivery.desk import charts
from koinonia.console import words

register = template.Library()


@register.simple_tag
def chip(status: str) -> SafeString:
    """Return the chip of a status of a text."""
    found = words.of_status(status)
    return format_html(
        '<span class="chip" data-tone="{}" title="{}">{}</span>',
        found.tone,
        found.sentence,
        found.label,
    )


@register.filter
def explained(code: str, provider: str) -> str:
    """Return the sentence of an error code: ``{{ message.error_code|explained:message.provider }}``."""
    return words.explain(code, provider)


@register.filter
def remedy(code: str) -> str:
    """Return advice for the office about an error code."""
    return str(words.remedy(code))


@register.filter
def number(value: int | float | None) -> str:
    """Return the number with the separators of the language."""
    return "" if value is None else number_format(value, use_l10n=True, force_grouping=True)


@register.simple_tag
def when(moment: datetime | None, style: str = "") -> SafeString | str:
    """Return the time of the church: ``{% when message.created_at %}``.

    Today only the clock is shown; else the weekday, the date and the clock. ``style`` "full" always
    shows all; "day" shows another day without the clock, and the last days by their names.
    """
    if moment is None:
        return ""
    here = localtime(moment)
    clock = date_format(here, "TIME_FORMAT")
    is_today = here.date() == localtime(now()).date()
    if style != "full" and is_today:
        shown = clock
    elif style == "day":
        is_recent = now() - moment < timedelta(days=6)
        shown = date_format(here, "l" if is_recent else "SHORT_DATE_FORMAT")
    else:
        day = date_format(here, "DATE_FORMAT" if here.year != now().year else "MONTH_DAY_FORMAT")
        shown = _("%(weekday)s, %(day)s, %(clock)s") % {
            "weekday": date_format(here, "l" if style == "full" else "D"),
            "day": day,
            "clock": clock,
        }
    return format_html('<time datetime="{}">{}</time>', here.isoformat(timespec="seconds"), shown)


@register.inclusion_tag("koinonia/console/_bars.html")
def bars(
    rows: Sequence[tuple[str, Sequence[int]]],
    series: Sequence[tuple[str, str]],
    title: str,
    first: str = "",
) -> dict[str, Any]:
    """Return stacked bars as SVG, with the same figures in a table.

    ``rows``: label and numbers of each bar. ``series``: label and tone of each number. ``first`` is
    the heading of the labels.
    """
    return {**charts.stacked(rows, series), "title": title, "first": first or _("Day")}
