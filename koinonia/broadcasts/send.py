"""Sending a broadcast: from a text and an audience to one message per number.

A broadcast without ``scheduled_at`` creates its messages in one transaction. A scheduled broadcast is
one row with a forecast until it is due (``koinonia.broadcasts.due``).
"""

from __future__ import annotations

from collections.abc import (
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import (
    dataclass,
    replace,
)
from datetime import datetime
from itertools import chain

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError, accept_batch, check_media, check_times
from delivery.changes import message_changes
from delivery.content.visible_text import clean, is_blank
from delivery.drafts import Draft
from delivery.models.transitions import Failure
from koinonia import audit, events
from koinonia.broadcasts.audience import Audience, Person
from koinonia.broadcasts.reach import Reach
from koinonia.broadcasts.renderings import LeftOutList, Rendering, Renderings, slices
from koinonia.conversations import conversation_keys
from koinonia.media.storage import keep_used
from koinonia.models import Broadcast, Church
from koinonia.models.member import called
from koinonia.texts import placeholders
from realtime import log


def send_broadcast(
    church: Church,
    text: str,
    audience: Audience,
    *,
    author: User,
    media_urls: Sequence[str] = (),
    scheduled_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Broadcast:
    """Create one message per number, or schedule the broadcast. Raise ``UnacceptableError``; then
    no message is created.

    Opted-out numbers count as ``suppressed``. Numbers with a text that is too long get no message:
    ``left_out`` of the returned broadcast lists their members. It also lists the numbers of a
    scheduled broadcast that may not be texted; of one that goes out now they are dead letters.
    """
    text = check_text(text)
    check_media(media_urls)
    times = check_times(scheduled_at, expires_at, now)
    broadcast = Broadcast(
        church=church,
        text=text,
        audience=audience.as_sent,
        media_urls=list(media_urls) or None,
        author=author,
        created_at=now,
        scheduled_at=scheduled_at if times.waits else None,
        due_at=scheduled_at if times.waits else None,
        expires_at=expires_at,
    )
    renderings = Renderings(church, text, media=bool(media_urls))
    with message_changes(now), audience.locked_people(church) as people:
        keep_used(church, media_urls, due=scheduled_at or now)
        usable, refused = _usable(renderings, people), LeftOutList()
        if times.waits:
            counted = _count(church, usable)
            broadcast.total, broadcast.forecast_suppressed = counted.total, counted.suppressed
            refused = counted.left_out
            broadcast.save(force_insert=True)
            _announce(broadcast, now)
        else:
            broadcast.save(force_insert=True)
            accepted = accept_batch(
                church, drafts(broadcast, usable, now), batch=broadcast.pk, author=author,
                expires_at=expires_at, now=now,
            )  # fmt: skip
            broadcast.total = accepted.total
            broadcast.remember(dict(accepted.counts))
            Broadcast.objects.filter(pk=broadcast.pk).update(total=accepted.total)
        audit.record(
            church, author, "broadcast.sent", broadcast, {"texts": broadcast.total}, now=now
        )
    broadcast.left_out = renderings.left_out + refused
    return broadcast


def check_text(text: str) -> str:
    """Return the cleaned text. Raise ``UnacceptableError`` for a blank text or a bad placeholder."""
    cleaned = clean(text)
    if is_blank(cleaned):
        raise UnacceptableError("text", _("A broadcast needs words."))
    placeholders.check(cleaned)
    return cleaned


def drafts(broadcast: Broadcast, renderings: Iterable[Rendering], now: datetime) -> Iterator[Draft]:
    """Yield one draft per rendering, each in the conversation with its number.

    A rendering with a problem makes a draft that becomes a dead letter.
    """
    church = broadcast.church
    for some in slices(renderings):
        missing = [one.member.phone for one in some if one.member.thread is None]
        threads = conversation_keys(church, missing, now=now) if missing else {}
        for one in some:
            problem = Failure("text_too_long", one.problem, "permanent") if one.problem else None
            yield Draft(
                to=one.member.phone,
                text=one.text,
                recipient_id=one.member.pk,
                media_urls=broadcast.media,
                thread=one.member.thread or threads[one.member.phone],
                failure=problem,
            )


@dataclass(frozen=True, slots=True)
class Forecast:
    """The texts of a scheduled broadcast as of now."""

    total: int
    """Texts, with the suppressed ones and without numbers that may not be texted."""
    suppressed: int
    left_out: LeftOutList


def forecast(church: Church, text: str, audience: Audience, *, media: bool = False) -> Forecast:
    """Count the audience now. Raise ``UnacceptableError`` for an audience without a usable text."""
    renderings = Renderings(church, text, media=media)
    with audience.people(church) as people:
        counted = _count(church, _usable(renderings, people))
    return replace(counted, left_out=renderings.left_out + counted.left_out)


def check_audience(church: Church, text: str, audience: Audience, *, media: bool = False) -> None:
    """Raise ``UnacceptableError`` for an audience without a usable text."""
    with audience.people(church) as people:
        _usable(Renderings(church, text, media=media), people)


def update_forecast(broadcast: Broadcast) -> None:
    """Count the current audience of a scheduled broadcast, which may be empty by now, and store it."""
    renderings = Renderings(broadcast.church, broadcast.text, media=bool(broadcast.media))
    with Audience.from_json(broadcast.audience).people(broadcast.church) as people:
        usable = (one for one in renderings.each(people) if not one.problem)
        counted = _count(broadcast.church, usable)
    Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False).update(
        total=counted.total, forecast_suppressed=counted.suppressed
    )


def _usable(renderings: Renderings, people: Iterable[Person]) -> Iterator[Rendering]:
    """Return the usable renderings. Raise ``UnacceptableError`` if there is none."""
    usable = (one for one in renderings.each(people) if not one.problem)
    # Look at the first one before anything is written.
    first = next(usable, None)
    if first is not None:
        return chain([first], usable)
    if not renderings.unusable:
        raise UnacceptableError("audience", _("This audience is empty."))
    left_out = renderings.left_out.named[0]
    sentence = _("%(reason)s (Shown for %(name)s.)")
    shown = {"reason": left_out.reason, "name": called(left_out.member, renderings.church.country)}
    raise UnacceptableError("text", sentence % shown)


def _count(church: Church, renderings: Iterable[Rendering]) -> Forecast:
    """Count the usable renderings as the preview does. ``left_out``: the refused destinations."""
    reach, reached = Reach(church), 0
    for some in slices(renderings):
        reached += len(reach.reached(some))
    suppressed = reach.opted_out.total
    return Forecast(reached + suppressed, suppressed, reach.refused)


def _announce(broadcast: Broadcast, now: datetime) -> None:
    """Publish a scheduled broadcast: it has no messages yet that would announce it."""
    log.append({f"church:{broadcast.church.slug}": [events.broadcast_created(broadcast)]}, now=now)
