"""The preview of a broadcast: recipients, parts and cost, without storing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from django.utils.translation import gettext as _

from delivery.accept import (
    UnacceptableError,
    check_media,
    check_sender,
)
from delivery.content.plain_punctuation import costly
from delivery.limits import pacing, slowdowns
from delivery.providers import registry
from delivery.senders import Sender
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.reach import Reach
from koinonia.broadcasts.renderings import LeftOut, LeftOutList, Rendering, Renderings, slices
from koinonia.broadcasts.send import check_text
from koinonia.models import Church
from koinonia.prices import part_price
from koinonia.quiet.hours import QuietForecast, forecast

EXAMPLES = 3
"""Texts that a preview shows beside the dearest one."""


@dataclass(frozen=True, slots=True)
class Character:
    """A character that forces UCS-2 and so makes a text cost more parts."""

    character: str
    name: str
    count: int
    plain: str | None
    """A replacement in the GSM-7 alphabet, if one exists."""


@dataclass(frozen=True, slots=True)
class Preview:
    people: int
    """Numbers that would get a text: without duplicates, opt-outs, refused destinations and texts
    that are too long."""
    opted_out: int
    doubles: int
    """Members with a shared number that gets the text with another member's name."""
    parts: int
    cost: Decimal | None
    """The cost; None without a price per part in the settings."""
    seconds: int | None
    """Duration at the rate of the church's number; None without a rate limit."""
    dearest: Rendering | None
    characters: list[Character]
    """The costly characters of ``dearest``, most frequent first."""
    left_out: LeftOutList
    examples: list[Rendering]
    """The texts of some members that get one, as they will read it."""
    done_at: datetime | None
    """The time of the last text at the rate of the church's number; None without a rate limit."""
    quiet: QuietForecast
    """The texts that wait for the end of the quiet hours."""

    @property
    def named(self) -> list[LeftOut]:
        return self.left_out.named

    @property
    def left_out_total(self) -> int:
        return self.left_out.total


def preview(
    church: Church,
    text: str,
    audience: Audience,
    *,
    media_urls: Sequence[str] = (),
    begins_at: datetime,
) -> Preview:
    """Return the preview of sending the text at ``begins_at``. Raise ``UnacceptableError`` for a text
    or an audience that a broadcast cannot have."""
    text = check_text(text)
    check_media(media_urls)
    sender = check_sender(church)
    renderings = Renderings(church, text, media=bool(media_urls))
    sums = _Sums(church, begins_at)
    with audience.people(church) as people:
        for some in slices(renderings.each(people)):
            sums.add(some)
    if not renderings.usable and not renderings.unusable:
        raise UnacceptableError("audience", _("This audience is empty."))
    dearest = sums.dearest_unusable or sums.dearest
    price, seconds = part_price(church), _seconds_for(sender, sums.parts, begins_at)
    return Preview(
        people=sums.people,
        opted_out=sums.reach.opted_out.total,
        doubles=renderings.doubles.total,
        parts=sums.parts,
        cost=None if price is None else price * sums.parts,
        seconds=None if seconds is None else ceil(seconds),
        dearest=dearest,
        characters=[Character(*one) for one in costly(dearest.text)] if dearest else [],
        left_out=renderings.left_out
        + sums.reach.opted_out
        + sums.reach.refused
        + renderings.doubles,
        examples=sums.examples,
        done_at=None if seconds is None else begins_at + timedelta(seconds=ceil(seconds)),
        quiet=sums.quiet,
    )


class _Sums:
    """The sums of a preview over the renderings of an audience."""

    def __init__(self, church: Church, begins_at: datetime) -> None:
        self._church, self._begins_at = church, begins_at
        self.reach = Reach(church)
        self.people = self.parts = 0
        self.dearest: Rendering | None = None
        self.dearest_unusable: Rendering | None = None
        self.examples = list[Rendering]()
        self.quiet = QuietForecast(0, None)

    def add(self, renderings: Sequence[Rendering]) -> None:
        for one in renderings:
            if one.problem:
                self.dearest_unusable = _dearer(self.dearest_unusable, one)
        reached = self.reach.reached([one for one in renderings if not one.problem])
        for one in reached:
            self.parts += one.measured.parts
            self.dearest = _dearer(self.dearest, one)
        self.people += len(reached)
        self.examples += reached[: EXAMPLES - len(self.examples)]
        numbers = [one.member.phone for one in reached]
        self._note_quiet(forecast(self._church, numbers, self._begins_at))

    def _note_quiet(self, found: QuietForecast) -> None:
        ends = [end for end in (self.quiet.until, found.until) if end]
        self.quiet = QuietForecast(self.quiet.waiting + found.waiting, max(ends, default=None))


def _dearer(known: Rendering | None, other: Rendering) -> Rendering:
    """Return the rendering with more parts, or with more units; of two equal ones the first."""
    return other if known is None or _price(other) > _price(known) else known


def _price(rendering: Rendering) -> tuple[int, int]:
    return rendering.measured.parts, rendering.measured.units


def _seconds_for(sender: Sender, parts: int, begins_at: datetime) -> float | None:
    account = registry.account(sender.provider)
    return pacing.seconds_for(account, sender.number, parts, slowdowns.rates(begins_at))
