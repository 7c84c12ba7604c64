"""The text of a broadcast rendered for each number of its audience."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from delivery.content.encoding import MAX_PARTS, Measured, measure
from delivery.content.plain_punctuation import advice
from delivery.content.visible_text import is_blank
from koinonia.models import Church, Member
from koinonia.texts.compose import Composer

MAX_NAMED = 100
"""Limit of the left-out members that one answer lists."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text for one number, with the name of ``member``."""

    member: Member
    text: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member who gets no text, with the reason as a sentence for users."""

    member: Member
    reason: str


@dataclass
class Renderings:
    texts: list[Rendering] = field(default_factory=list)
    """Usable texts, at most one per number, ordered by the members' keys."""
    too_long: list[tuple[Rendering, LeftOut]] = field(default_factory=list)
    """Numbers without a usable text, with the rendering of the oldest member."""
    too_long_others: list[LeftOut] = field(default_factory=list)
    """The younger members with these numbers. Their renderings do not fit."""
    doubles: list[LeftOut] = field(default_factory=list)
    """Members with a shared number that gets the text with another member's name."""

    @property
    def left_out(self) -> list[LeftOut]:
        return [*(left_out for _, left_out in self.too_long), *self.too_long_others]


def render_all(church: Church, template: str, members: Iterable[Member]) -> Renderings:
    """Render ``template`` for each number of ``members``, in the order of their keys.

    If members share a number, the text names the oldest member with a short enough rendering.
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
            reason = _reason(tried[0], in_full=len(made.too_long) < MAX_NAMED)
            made.too_long.append((tried[0], LeftOut(tried[0].member, reason)))
            made.too_long_others += [
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
    """Return why the text cannot be sent; ``in_full`` adds the costly characters (slow)."""
    if is_blank(rendering.text):
        return "The text is empty for this member, because the name is missing."
    sentence = f"This text needs {rendering.measured.parts} parts; the limit is {MAX_PARTS}."
    return " ".join(filter(None, [sentence, advice(rendering.text) if in_full else ""]))
