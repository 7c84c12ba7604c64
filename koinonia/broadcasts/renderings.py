"""The text of a broadcast rendered for each number of its audience, one number at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import groupby, islice

from django.utils.translation import gettext as _

from delivery.content.encoding import MAX_PARTS, Measured, measure_message
from delivery.content.plain_punctuation import advice
from delivery.content.visible_text import is_blank
from koinonia.broadcasts.audience import Person
from koinonia.models import Church
from koinonia.models.member import called
from koinonia.numbers import grouped
from koinonia.texts.compose import Composer

MAX_NAMED = 100
"""Limit of the left-out members that one answer lists."""
_AT_ONCE = 1_000
"""Renderings in memory at a time."""
_MEASURES_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text for one number, with the name of ``member``."""

    member: Person
    text: str
    measured: Measured
    problem: str = ""
    """The reason why the text cannot be sent; else empty."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member who gets no text, with the reason as a sentence for users."""

    member: Person
    reason: str


@dataclass(slots=True)
class LeftOutList:
    """Members without a text: the first of them by name, and how many there are."""

    named: list[LeftOut] = field(default_factory=list)
    total: int = 0

    def add(self, member: Person, reason: str) -> None:
        self.total += 1
        if len(self.named) < MAX_NAMED:
            self.named.append(LeftOut(member, reason))

    def __add__(self, other: LeftOutList) -> LeftOutList:
        named = [*self.named, *other.named][:MAX_NAMED]
        return LeftOutList(named, self.total + other.total)


class Renderings:
    """Renders one template for the numbers of an audience, and counts the members left out.

    Read :meth:`each` to its end before the counts. Memory does not grow with the audience.
    """

    def __init__(self, church: Church, template: str, *, media: bool = False) -> None:
        self.church = church
        self._composer = Composer(template, church)
        self._measure = lru_cache(_MEASURES_KEPT)(partial(measure_message, media=media))
        self.usable = 0
        """Numbers with a usable text."""
        self.unusable = 0
        """Numbers without a usable text."""
        self.doubles = LeftOutList()
        """Members with a shared number that gets the text with another member's name."""
        self._unusable_oldest = LeftOutList()
        self._unusable_others = LeftOutList()

    @property
    def left_out(self) -> LeftOutList:
        """Return the members of the numbers without a usable text."""
        return self._unusable_oldest + self._unusable_others

    def each(self, people: Iterable[Person]) -> Iterator[Rendering]:
        """Yield one rendering per number. ``people`` with one number follow each other.

        If members share a number, the text names the oldest member with a usable rendering, else
        the oldest member.
        """
        for _phone, sharing in groupby(people, key=lambda person: person.phone):
            yield self._for_number(list(sharing))

    def _for_number(self, sharing: list[Person]) -> Rendering:
        tried = [self._render(person) for person in sharing]
        fitting = next((one for one in tried if _can_be_sent(one)), None)
        if fitting is None:
            return self._leave_out(tried)
        self.usable += 1
        for person in sharing:
            if person is not fitting.member:
                reason = _("%(name)s has the same number and gets the text.")
                reason %= {"name": called(fitting.member, self.church.country)}
                self.doubles.add(person, reason)
        return fitting

    def _leave_out(self, tried: list[Rendering]) -> Rendering:
        """Count the members of a number, and return the rendering for the oldest with its problem."""
        oldest, *others = tried
        problem = _problem(oldest, in_full=self.unusable < MAX_NAMED)
        self._unusable_oldest.add(oldest.member, problem)
        for other in others:
            self._unusable_others.add(other.member, _problem(other, in_full=False))
        self.unusable += 1
        return replace(oldest, problem=problem)

    def _render(self, person: Person) -> Rendering:
        text = self._composer.text_for(person)
        return Rendering(person, text, self._measure(text))


def slices(renderings: Iterable[Rendering]) -> Iterator[list[Rendering]]:
    """Yield the renderings in lists of a bounded length."""
    waiting = iter(renderings)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some


def _can_be_sent(rendering: Rendering) -> bool:
    return rendering.measured.parts <= MAX_PARTS and not is_blank(rendering.text)


def _problem(rendering: Rendering, *, in_full: bool) -> str:
    """Return why the text cannot be sent; ``in_full`` adds the costly characters (slow)."""
    if is_blank(rendering.text):
        return _("The text is empty for this member, because the name is missing.")
    sentence = _("This text needs %(parts)s parts; the limit is %(limit)s.")
    sentence %= {"parts": grouped(rendering.measured.parts), "limit": MAX_PARTS}
    return " ".join(filter(None, [sentence, advice(rendering.text) if in_full else ""]))
