"""The forecast of a text: people, parts, cost and time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from django.utils.formats import number_format

from delivery import opt_outs
from delivery.accept import UnacceptableError, check_media, check_sender
from delivery.content.encoding import MAX_PARTS, measure_message
from delivery.content.plain_punctuation import costly
from delivery.limits import destinations, pacing, slowdowns, spend
from delivery.providers import registry
from koinonia.broadcasts.audience import Audience, Person
from koinonia.broadcasts.preview import Character, Preview, preview
from koinonia.broadcasts.renderings import LeftOutList, Rendering
from koinonia.conversations import member_at
from koinonia.models import Church
from koinonia.prices import part_price
from koinonia.quiet.hours import forecast as quiet
from koinonia.texts.compose import compose_single


@dataclass(frozen=True, slots=True)
class Forecast:
    preview: Preview
    begins_at: datetime
    later: bool
    """True if a person chose the time."""
    rate: float | None
    """The message parts of a second at the church's number; None without a limit."""
    left_today: int | None
    """The parts that the daily cap leaves; None without a cap."""

    @property
    def over_the_cap(self) -> bool:
        return self.left_today is not None and self.preview.parts > self.left_today

    @property
    def cost(self) -> Decimal | None:
        """Return the cost in two digits, or more for less than a hundredth."""
        cost = self.preview.cost
        if cost is None:
            return None
        return cost.quantize(Decimal("0.01") if cost >= 1 else Decimal("0.0001"))

    @property
    def examples(self) -> list[Rendering]:
        """Return the texts of the preview that differ, without the dearest one."""
        dearest = self.preview.dearest
        shown = dearest.text if dearest and dearest.measured.parts > 1 else ""
        by_text = {one.text: one for one in reversed(self.preview.examples)}
        return [one for text, one in reversed(by_text.items()) if text != shown]

    @property
    def rate_in_words(self) -> str:
        if self.rate is None:
            return ""
        digits = 0 if self.rate == round(self.rate) else 1
        return number_format(self.rate, digits, force_grouping=True)

    @property
    def plain(self) -> dict[str, str]:
        """Return the costly signs that have a cheap replacement."""
        return {one.character: one.plain for one in self.preview.characters if one.plain}

    @property
    def plain_json(self) -> str:
        """Return ``plain`` for the script of the page."""
        return json.dumps(self.plain)


def of_broadcast(
    church: Church,
    text: str,
    audience: Audience,
    media_urls: list[str],
    send_at: datetime | None,
    now: datetime,
) -> Forecast:
    """Return the forecast. Raise ``UnacceptableError``."""
    begins_at = send_at or now
    found = preview(church, text, audience, media_urls=media_urls, begins_at=begins_at)
    return _forecast(church, found, send_at, now)


def of_number(
    church: Church,
    text: str,
    number: str,
    media_urls: list[str],
    send_at: datetime | None,
    now: datetime,
) -> Forecast:
    """Return the forecast of a text to one number. Raise ``UnacceptableError``."""
    check_sender(church)
    check_media(media_urls)
    composed = compose_single(text, member_at(church, number), church)
    measured = measure_message(composed, media=bool(media_urls))
    one = Rendering(Person(0, "", number, number, None), composed, measured)
    if refused := destinations.refusal(number, destinations.countries_of(church)):
        raise UnacceptableError("to", refused)
    stopped = number in opt_outs.opted_out(church.pk, {number})
    parts = 0 if stopped else measured.parts
    price, seconds = part_price(church), _seconds_for(church, parts, send_at or now)
    found = Preview(
        people=0 if stopped else 1,
        opted_out=int(stopped),
        doubles=0,
        parts=parts,
        cost=None if price is None else price * parts,
        seconds=None if seconds is None else ceil(seconds),
        dearest=one,
        characters=[Character(*sign) for sign in costly(composed)],
        left_out=LeftOutList(),
        examples=[one] if measured.parts <= MAX_PARTS else [],
        done_at=None if seconds is None else (send_at or now) + timedelta(seconds=seconds),
        quiet=quiet(church, [] if stopped else [number], send_at or now),
    )
    return _forecast(church, found, send_at, now)


def _forecast(church: Church, found: Preview, send_at: datetime | None, now: datetime) -> Forecast:
    used = spend.current(church.pk, now)
    left = None if used.cap is None else max(used.cap - used.parts, 0)
    second = _seconds_for(church, 1, send_at or now)
    return Forecast(
        preview=found,
        begins_at=send_at or now,
        later=send_at is not None,
        rate=1 / second if second else None,
        # The cap counts 24 hours: it says nothing about a text of next week.
        left_today=None if send_at and send_at > now + timedelta(hours=24) else left,
    )


def _seconds_for(church: Church, parts: int, begins_at: datetime) -> float | None:
    sender = check_sender(church)
    account, slowed = registry.account(sender.provider), slowdowns.rates(begins_at)
    return pacing.seconds_for(account, sender.number, parts, slowed)
