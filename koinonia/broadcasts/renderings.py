"""The text of a broadcast as each number of its audience gets it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from delivery.content.encoding import MAX_PARTS, Measured, measure
from delivery.content.plain_punctuation import advice
from delivery.content.visible_text import is_blank
from koinonia.models import Church, Member
from koinonia.texts.compose import Composer

MOST_NAMED = 100
"""So many members who are left out are named in one answer."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text of one number; ``member`` is the one whose name is in it."""

    member: Member
    text: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member who gets no text, and why, in a sentence for people."""

    member: Member
    reason: str


@dataclass
class Renderings:
    texts: list[Rendering] = field(default_factory=list)
    """At most one per number, in the order of the members' keys."""
    too_long: list[tuple[Rendering, LeftOut]] = field(default_factory=list)
    """Numbers to which nothing can be sent, with the rendering of the oldest member."""
    too_long_too: list[LeftOut] = field(default_factory=list)
    """The younger members of these numbers, whose own names do not fit either."""
    doubles: list[LeftOut] = field(default_factory=list)
    """Members whose number gets the text under another member's name."""

    @property
    def left_out(self) -> list[LeftOut]:
        return [*(left_out for _, left_out in self.too_long), *self.too_long_too]


def render_all(church: Church, template: str, members: Iterable[Member]) -> Renderings:
    """Render ``template`` for each number of ``members``, who are ordered by their keys.

    Where members share a number, the text names the oldest of them, unless that name makes it too
    long: then the next one whose name fits.
    """
    made = Renderings()
    by_number: dict[str, list[Member]] = {}
    for member in members:
        by_number.setdefault(member.phone, []).append(member)
    composer, measures = Composer(template, church), dict[str, Measured]()
    for sharing in by_number.values():
        tried = [_rendering(composer, member, measures) for member in sharing]
        fitting = next((one for one in tried if _can_be_sent(one)), None)
        if fitting is None:
            reason = _reason(tried[0], in_full=len(made.too_long) < MOST_NAMED)
            made.too_long.append((tried[0], LeftOut(tried[0].member, reason)))
            made.too_long_too += [
                LeftOut(one.member, _reason(one, in_full=False)) for one in tried[1:]
            ]
        chosen = fitting or tried[0]
        if fitting:
            made.texts.append(fitting)
            made.doubles += [
                LeftOut(member, f"{chosen.member.name} has the same number and gets the text.")
                for member in sharing
                if member is not chosen.member
            ]
    return made


def _rendering(composer: Composer, member: Member, measures: dict[str, Measured]) -> Rendering:
    text = composer.text_for(member)
    if text not in measures:
        measures[text] = measure(text)
    return Rendering(member, text, measures[text])


def _can_be_sent(rendering: Rendering) -> bool:
    return rendering.measured.parts <= MAX_PARTS and not is_blank(rendering.text)


def _reason(rendering: Rendering, *, in_full: bool) -> str:
    """Return why it cannot be sent; ``in_full`` with the letters that cost, which takes a while."""
    if is_blank(rendering.text):
        return "Nothing is left of the text for this member: the name is missing."
    told = f"This text needs {rendering.measured.parts} parts; at most {MAX_PARTS} can be sent."
    return " ".join(filter(None, [told, advice(rendering.text) if in_full else ""]))
