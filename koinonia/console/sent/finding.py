"""Search in the texts of a church: by person, word, state and date.

A person is found by an index, with all texts to her. Words are looked for in the newest texts, some
thousands at a time: the page says how far it has looked and leads on. No index of words is kept, since
each text would pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from delivery.models import Direction, Message
from delivery.models.queue import MessageQuerySet
from koinonia.any_spelling import pattern_of
from koinonia.api.row_position import Beyond
from koinonia.console.sent import lines
from koinonia.console.sent.causes import with_code
from koinonia.console.sent.text_lines import ListedText, values_of
from koinonia.console.words import Words
from koinonia.models import Broadcast, Church, Member
from koinonia.people.search import matching
from koinonia.typed_numbers import digits_in, whole_numbers
from koinonia.zones import zone_named

PAGE = 50
WINDOW = 20_000
"""The most texts of a church, single ones or of broadcasts, in one page of a search."""
WINDOW_OF_BROADCASTS = 1000
"""The newest broadcasts in which words are looked for."""
MOST_BROADCASTS = 5
"""The broadcasts that a search for words shows."""
MOST_PEOPLE = 20
"""The most members with a similar name in one search."""
_LONGEST = 100

STATES: dict[str, tuple[Words, tuple[str, ...]]] = {
    "waiting": (_("Waiting"), lines.WAITING),
    "way": (_("On its way"), lines.ON_THE_WAY),
    "reached": (_("Delivered"), lines.REACHED),
    "failed": (_("Not delivered"), lines.NOT_REACHED),
    "left": (_("Opted out or cancelled"), lines.LEFT_OUT),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the search."""

    rows: list[ListedText]
    older: str
    """The query of the next page; empty at the end."""
    searched_back_to: datetime | None
    """The time of the oldest text that was searched; None: all texts were."""


class Search:
    """A search as a form or an address names it. Unreadable values count as not given."""

    def __init__(self, church: Church, given: Mapping[str, Any]) -> None:
        self.church = church
        self.person = str(given.get("person", "")).strip()[:_LONGEST]
        self.words = str(given.get("words", "")).strip()[:_LONGEST]
        state = str(given.get("state", ""))
        self.state = state if state in STATES else ""
        self.since = _day(given.get("since"))
        self.until = _day(given.get("until"))
        self._before = str(given.get("before", ""))

    @property
    def is_empty(self) -> bool:
        return not (self.person or self.words or self.state or self.since or self.until)

    def query(self, **more: str) -> str:
        """Return the address of this search, beginning with a question mark."""
        given = {
            "person": self.person,
            "words": self.words,
            "state": self.state,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            **more,
        }
        kept = {name: value for name, value in given.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    def found(self) -> Found:
        """Return a page of texts, newest first.

        Texts of broadcasts are shown for a person, and those that did not arrive. The others would
        hide the single texts.
        """
        rows = self._matching(Message.objects.filter(tenant=self.church))
        rows = rows.filter(direction=Direction.OUTBOUND)
        if self.person:
            return self._of_person(rows)
        position, oldest = self._position(), None
        if position:
            rows = rows.filter(Beyond(["created_at", "id"], position, back=False))
        oldest = self._window(position)
        if oldest is not None:
            rows = rows.filter(created_at__gte=oldest)
        shown = rows if self.state == "failed" else rows.filter(batch=None)
        found = self._page(shown.order_by("-created_at", "-pk"))
        if len(found) > PAGE:
            last = found[PAGE - 1]
            return Found(found[:PAGE], self._link(last.created_at, last.pk), None)
        if oldest is None:
            return Found(found, "", None)
        return Found(found, self._link(oldest, 0), oldest)

    def dead_letters(self, code: str) -> MessageQuerySet:
        """Return the dead letters of the search's days with this code: they can be sent again."""
        letters = Message.objects.dead_letters().filter(tenant=self.church)
        letters = letters.filter(dead_since__gte=self._begins) if self._begins else letters
        letters = letters.filter(dead_since__lt=self._ends) if self._ends else letters
        found: MessageQuerySet = with_code(letters, code) if code else letters
        return found

    @cached_property
    def broadcasts(self) -> list[Broadcast]:
        """Return the newest broadcasts with these words, at most one more than the page shows."""
        if not self.words or self.person or self.state or self._before:
            return []
        rows = Broadcast.objects.filter(church=self.church).order_by("-pk")
        beyond = rows.values_list("pk", flat=True)[WINDOW_OF_BROADCASTS:][:1].first()
        rows = rows.filter(pk__gt=beyond or 0).select_related("author")
        return list(rows.filter(self._words_and_days)[: MOST_BROADCASTS + 1])

    @property
    def problem(self) -> str:
        """Return a sentence if the days exclude every text."""
        if self.since and self.until and self.since > self.until:
            return str(_("The first day is after the last one. Exchange them."))
        return ""

    @cached_property
    def people(self) -> list[Member]:
        """Return the members with this name or number."""
        if not self.person:
            return []
        members = Member.objects.filter(church=self.church).order_by("search_key", "pk")
        named = members.filter(matching(self.person, self.church.country))
        return list(named[: MOST_PEOPLE + 1])

    def _of_person(self, rows: QuerySet[Message]) -> Found:
        people = self.people[:MOST_PEOPLE]
        theirs = Q(recipient__in=[person.pk for person in people])
        if not people and len(digits_in(self.person)) >= 7:
            theirs = Q(to_number__in=whole_numbers(self.person, self.church.country))
        rows = rows.filter(theirs)
        if self._before.isascii() and self._before.isdigit():
            rows = rows.filter(pk__lt=min(int(self._before), 2**63 - 1))
        found = self._page(rows.order_by("-pk"))
        more = len(found) > PAGE
        older = self.query(before=str(found[PAGE - 1].pk)) if more else ""
        return Found(found[:PAGE], older, None)

    def _page(self, rows: QuerySet[Message]) -> list[ListedText]:
        return [ListedText(*values) for values in values_of(rows)[: PAGE + 1]]

    def _matching(self, rows: QuerySet[Message]) -> QuerySet[Message]:
        if self.state:
            rows = rows.filter(status__in=[str(status) for status in STATES[self.state][1]])
        return rows.filter(self._words_and_days)

    @property
    def _words_and_days(self) -> Q:
        condition = Q()
        for word in self.words.split():
            condition &= Q(text__regex=pattern_of(word))
        if self._begins:
            condition &= Q(created_at__gte=self._begins)
        if self._ends:
            condition &= Q(created_at__lt=self._ends)
        return condition

    def _window(self, position: list[Any] | None) -> datetime | None:
        """Return the time of the oldest text of this page, or None at the end of the texts."""
        rows = Message.objects.filter(tenant=self.church)
        if position:
            rows = rows.filter(Beyond(["created_at", "id"], position, back=False))
        if self._ends:
            rows = rows.filter(created_at__lt=self._ends)
        times = rows.order_by("-created_at", "-pk").values_list("created_at", flat=True)
        oldest = times[WINDOW : WINDOW + 1].first()
        return None if oldest and self._begins and oldest < self._begins else oldest

    def _position(self) -> list[Any] | None:
        microseconds, _dot, key = self._before.partition(".")
        if not (microseconds.isdigit() and key.isdigit() and len(self._before) < 40):
            return None
        try:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
        except OverflowError:
            return None
        return [at, min(int(key), 2**63 - 1)]

    def _link(self, at: datetime, key: int) -> str:
        microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return self.query(before=f"{microseconds}.{key}")

    @cached_property
    def _begins(self) -> datetime | None:
        return self._midnight(self.since)

    @cached_property
    def _ends(self) -> datetime | None:
        return self._midnight(self.until + timedelta(days=1)) if self.until else None

    def _midnight(self, day: date | None) -> datetime | None:
        zone = zone_named(self.church.timezone)
        return datetime.combine(day, time.min, tzinfo=zone) if day else None


def _day(value: Any) -> date | None:
    try:
        found = parse_date(str(value or ""))
    except ValueError:
        return None
    return found if found and 1970 < found.year < 9000 else None
