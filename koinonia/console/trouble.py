"""Sentences for the office that explain why texts wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery import status_report
from delivery.limits import spend
from delivery.models import BreakerState
from delivery.statuses import WAITING
from koinonia.models import Church

NAMES = {"telnyx": "Telnyx", "twilio": "Twilio"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sentence of the banner. ``tone`` is ``bad`` if a person has to act, else ``warn``."""

    tone: str
    sentence: str


def troubles(church: Church, now: datetime) -> list[Trouble]:
    """Return sentences that explain why texts of the church wait; most serious first."""
    found = status_report.limits_of(church.pk, now)
    provider = NAMES.get(found["provider"], found["provider"])
    waits = _waiting_sentence(church) if found["hold"] or _is_stopped(found) else ""
    if found["hold"]:
        sentence = _("%(provider)s does not accept our texts. Your support has been told.")
        return [Trouble("bad", f"{sentence % {'provider': provider}} {waits}".strip())]
    state = found["breaker"]["state"]
    if state == BreakerState.FORCED_OPEN:
        return [Trouble("bad", f"{_('Your support has stopped all sending.')} {waits}".strip())]
    if _is_stopped(found):
        sentence = _("%(provider)s is not answering.") % {"provider": provider}
        return [Trouble("warn", f"{sentence} {waits}".strip())]
    return _capped(church, now)


def _is_stopped(found: status_report.Limits) -> bool:
    return found["breaker"]["state"] in (
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.FORCED_OPEN,
    )


def _waiting_sentence(church: Church) -> str:
    counts = status_report.queue(church.pk)
    waiting = sum(counts[status] for status in WAITING if status != "scheduled")
    if not waiting:
        return _("New texts wait, and go out by themselves.")
    return ngettext(
        "%(count)s text waits, and goes out by itself.",
        "%(count)s texts wait, and go out by themselves.",
        waiting,
    ) % {"count": waiting}


def _capped(church: Church, now: datetime) -> list[Trouble]:
    until = spend.waits_until(church.pk, now)
    if until is None:
        return []
    when = date_format(localtime(until), "l, TIME_FORMAT")
    sentence = _("Today's limit is reached. The next texts go out on %(when)s, by themselves.")
    return [Trouble("warn", sentence % {"when": when})]
