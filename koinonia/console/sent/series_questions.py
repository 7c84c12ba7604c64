"""The questions before a repeating broadcast ends, or leaves its next time out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from koinonia.console.sent.series_words import rule_in_words
from koinonia.models import Broadcast, Series
from koinonia.numbers import grouped
from koinonia.series.occurrences import coming

_SHOWN = 5
"""The times that the question names."""


def before_the_end(series: Series) -> dict[str, Any] | None:
    """Return the question before the end of a series; None if it is over."""
    if series.ended_at:
        return None
    facts = [capfirst(rule_in_words(series))]
    dates, upcoming = coming(series, _SHOWN + 1), series.next_broadcast()
    if upcoming is None:
        facts.append(_("It is paused: no time is planned."))
    else:
        facts += [_people(upcoming), _("These times are not sent:")]
    return {
        "question": _("End this repeating broadcast?"),
        "words": series.text,
        "facts": facts,
        "dates": dates[:_SHOWN],
        "more_dates": len(dates) > _SHOWN,
        "yes": pgettext("repeating broadcast", "End it"),
    }


def before_a_skip(series: Series) -> dict[str, Any] | None:
    """Return the question before the next time is left out; None if nothing is planned."""
    dates, upcoming = coming(series, 2), series.next_broadcast()
    if upcoming is None:
        return None
    facts = [_people(upcoming), _("It will not go out at this time, and you cannot undo this:")]
    return {
        "question": _("Leave out the next time?"),
        "words": series.text,
        "facts": facts,
        "dates": dates[:1],
        "yes": _("Leave it out"),
    }


def _people(upcoming: Broadcast) -> str:
    people = upcoming.total - upcoming.forecast_suppressed
    sentence = ngettext(
        "As of now, it would reach %(n)s person.", "As of now, it would reach %(n)s people.", people
    )
    return sentence % {"n": grouped(people)}


QUESTIONS: dict[str, Callable[[Series], dict[str, Any] | None]] = {
    "end": before_the_end,
    "skip": before_a_skip,
}
"""Act -> its question."""
