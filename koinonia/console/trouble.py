"""Sentences for the office that explain why texts wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from delivery import status_report
from delivery.models import BreakerState, Message
from delivery.providers.registry import UnknownProviderError
from delivery.statuses import Status
from koinonia.console.memberships import ChurchState
from koinonia.models import Church
from koinonia.numbers import grouped

NAMES = {"telnyx": "Telnyx", "twilio": "Twilio"}
KNOWN_FOR = timedelta(seconds=2)
"""Pages that are opened in quick succession read the state of an account once."""
_NEW_ONES_WAIT = gettext_lazy("New texts wait, and go out by themselves.")
_STOPPED = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.FORCED_OPEN)

_known: dict[str, tuple[datetime, status_report.Limits]] = {}
"""Alias of an account -> time of the query, result. The settings bound its size."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sentence of the banner. ``tone`` is ``bad`` if a person has to act, else ``warn``."""

    tone: str
    sentence: str


def troubles(
    church: Church, state: ChurchState, now: datetime, *, fresh: bool = False
) -> list[Trouble]:
    """Return sentences that explain why texts of the church wait; most serious first."""
    if state.is_stopped:
        sentence = _("Your support has stopped the texts of your church.")
        if state.stopped_until is not None:
            sentence = _("Your support has stopped the texts of your church until %(when)s.")
            sentence = _with_time(sentence, state.stopped_until)
        return [_waiting("bad", sentence, church, now)]
    limits = _limits_of(state.provider, now, fresh)
    if limits is None:
        return []
    provider = NAMES.get(state.provider, state.provider)
    breaker = limits["breaker"]["state"]
    if limits["hold"]:
        sentence = _("%(provider)s does not accept our texts. Your support has been told.")
        return [_waiting("bad", sentence % {"provider": provider}, church, now)]
    if breaker == BreakerState.FORCED_OPEN:
        sentence, until = _("Your support has stopped all sending."), limits["breaker"]["until"]
        if until is not None:
            sentence = _("Your support has stopped all sending until %(when)s.")
            sentence = _with_time(sentence, until)
        return [_waiting("bad", sentence, church, now)]
    if breaker in _STOPPED:
        sentence = _("%(provider)s is not answering.") % {"provider": provider}
        return [_waiting("warn", sentence, church, now)]
    found = []
    if state.waits_until is not None:
        sentence = _("The limit of the day is reached. The next texts go out on %(when)s.")
        found.append(Trouble("warn", _with_time(sentence, state.waits_until)))
    slowed = [limits["slowed"].get(""), limits["slowed"].get(church.phone_number or "")]
    if ends := [end for end in slowed if end is not None]:
        sentence = _("Your support lets texts go out more slowly until %(when)s. None is lost.")
        found.append(Trouble("warn", _with_time(sentence, max(ends))))
    return found


def forget() -> None:
    """Forget the states of the accounts (for tests)."""
    _known.clear()


def _with_time(sentence: str, moment: datetime) -> str:
    """Fill in the weekday and the time in the zone of the church. "8 a.m." ends a sentence itself."""
    here = localtime(moment)
    when = f"{date_format(here, 'l')}, {date_format(here, 'TIME_FORMAT')}"
    return (sentence % {"when": when}).replace("..", ".")


def _limits_of(alias: str, now: datetime, fresh: bool) -> status_report.Limits | None:
    known = _known.get(alias)
    if known and not fresh and abs(now - known[0]) < KNOWN_FOR:
        return known[1]
    try:
        limits = status_report.limits_of(alias, now)
    except UnknownProviderError:
        return None
    _known[alias] = now, limits
    return limits


def _waiting(tone: str, sentence: str, church: Church, now: datetime) -> Trouble:
    """Add the number of texts that wait."""
    due = Message.objects.waiting().filter(tenant=church).exclude(status=Status.SCHEDULED)
    waiting = due.count()
    if not waiting:
        return Trouble(tone, f"{sentence} {_NEW_ONES_WAIT}")
    wait = ngettext(
        "%(count)s text waits, and goes out by itself.",
        "%(count)s texts wait, and go out by themselves.",
        waiting,
    ) % {"count": grouped(waiting)}
    return Trouble(tone, f"{sentence} {wait}")
