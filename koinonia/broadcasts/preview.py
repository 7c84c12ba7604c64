"""The preview of a broadcast: recipients, parts and cost, without storing anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from delivery import conf, opt_outs
from delivery.accept import UnacceptableError, check_sender
from delivery.content.plain_punctuation import costly
from delivery.limits import destinations, pacing
from delivery.providers import registry
from delivery.senders import Sender
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.renderings import MAX_NAMED, LeftOut, Rendering, render_all
from koinonia.broadcasts.send import check_text, members_of
from koinonia.models import Church


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
    left_out: list[LeftOut]

    @property
    def named(self) -> list[LeftOut]:
        return self.left_out[:MAX_NAMED]

    @property
    def left_out_total(self) -> int:
        return len(self.left_out)


def preview(church: Church, text: str, audience: Audience) -> Preview:
    """Return the preview of sending the text now. Raise ``UnacceptableError`` for a text or an
    audience that a broadcast cannot have."""
    text = check_text(text)
    sender = check_sender(church)
    members = members_of(church, audience)
    if not members:
        raise UnacceptableError("audience", "This audience is empty.")
    found = render_all(church, text, members)
    numbers = {one.member.phone for one in found.texts}
    stopped = opt_outs.opted_out(church.pk, numbers)
    refused = _refused(church, numbers - stopped)
    sent = [one for one in found.texts if one.member.phone not in stopped | refused.keys()]
    parts = sum(one.measured.parts for one in sent)
    candidates = [rendering for rendering, _ in found.too_long] or sent
    dearest = max(candidates, key=_price, default=None)
    price, seconds = conf.part_price(), _seconds_for(sender, parts)
    return Preview(
        people=len(sent),
        opted_out=len(stopped),
        doubles=len(found.doubles),
        parts=parts,
        cost=None if price is None else price * parts,
        seconds=None if seconds is None else ceil(seconds),
        dearest=dearest,
        characters=[Character(*one) for one in costly(dearest.text)] if dearest else [],
        left_out=[
            *found.left_out,
            *(_opted_out(one) for one in found.texts if one.member.phone in stopped),
            *(
                LeftOut(one.member, refused[one.member.phone])
                for one in found.texts
                if one.member.phone in refused
            ),
            *found.doubles,
        ],
    )


def _price(rendering: Rendering) -> tuple[int, int]:
    return rendering.measured.parts, rendering.measured.units


def _seconds_for(sender: Sender, parts: int) -> float | None:
    return pacing.seconds_for(registry.account(sender.provider), parts)


def _refused(church: Church, numbers: Iterable[str]) -> dict[str, str]:
    """Return the refused destinations among ``numbers``, each with the reason."""
    allowed = destinations.countries_of(church)
    reasons = {number: destinations.refusal(number, allowed) for number in numbers}
    return {number: reason for number, reason in reasons.items() if reason}


def _opted_out(rendering: Rendering) -> LeftOut:
    return LeftOut(rendering.member, "This number has opted out.")
