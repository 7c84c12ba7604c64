"""Sending a broadcast: from a text and an audience to one message per number.

A broadcast without ``scheduled_at`` creates its messages in one transaction. A scheduled broadcast is
one row with a forecast until it is due (``koinonia.broadcasts.due``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from delivery import opt_outs
from delivery.accept import UnacceptableError, accept_batch, check_times
from delivery.changes import message_changes
from delivery.content.visible_text import clean, is_blank
from delivery.drafts import Draft
from koinonia import events
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.renderings import Rendering, Renderings, render_all
from koinonia.conversations import conversation_keys
from koinonia.models import Broadcast, Church, Member
from koinonia.texts import placeholders
from realtime import log


def send_broadcast(
    church: Church,
    text: str,
    audience: Audience,
    *,
    author: User,
    scheduled_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Broadcast:
    """Create one message per number, or schedule the broadcast. Raise ``UnacceptableError``; then
    no message is created.

    Opted-out numbers count as ``suppressed``. Numbers with a text that is too long get no message:
    ``left_out`` of the returned broadcast lists their members.
    """
    text = check_text(text)
    times = check_times(scheduled_at, expires_at, now)
    with message_changes(now):
        found = render_audience(church, text, audience)
        broadcast = Broadcast(
            church=church,
            text=text,
            audience=audience.as_sent,
            total=len(found.texts),
            author=author,
            created_at=now,
            scheduled_at=scheduled_at if times.waits else None,
            due_at=scheduled_at if times.waits else None,
            expires_at=expires_at,
        )
        broadcast.left_out = found.left_out
        if times.waits:
            _schedule(broadcast, found.texts, now)
        else:
            broadcast.save(force_insert=True)
            accept_batch(
                church, drafts(church, found.texts, now), batch=broadcast.pk, author=author,
                expires_at=expires_at, now=now,
            )  # fmt: skip
    return broadcast


def check_text(text: str) -> str:
    """Return the cleaned text. Raise ``UnacceptableError`` for a blank text or a bad placeholder."""
    cleaned = clean(text)
    if is_blank(cleaned):
        raise UnacceptableError("text", "A broadcast needs words.")
    placeholders.check(cleaned)
    return cleaned


def render_audience(church: Church, text: str, audience: Audience) -> Renderings:
    """Render the text for the current audience. Raise ``UnacceptableError`` if the audience is empty
    or the text is unusable for all members."""
    members = locked_members_of(church, audience)
    if not members:
        raise UnacceptableError("audience", "This audience is empty.")
    found = render_all(church, text, members)
    if not found.texts:
        first = found.left_out[0]
        raise UnacceptableError("text", f"{first.reason} (Shown for {first.member.name}.)")
    return found


def members_of(church: Church, audience: Audience) -> list[Member]:
    """Return the current members, oldest first, with the columns that rendering needs."""
    return list(audience.members(church).only("pk", "first_name", "last_name", "phone"))


def locked_members_of(church: Church, audience: Audience) -> list[Member]:
    """Return :func:`members_of`, locked against deletion until the transaction ends.

    Members that another transaction has just deleted are left out.
    """
    members = members_of(church, audience)
    kept = Member.objects.lock_against_deletion(member.pk for member in members)
    return [member for member in members if member.pk in kept]


def drafts(church: Church, texts: Sequence[Rendering], now: datetime) -> list[Draft]:
    """Return one draft per text, each in the conversation with its number."""
    threads = conversation_keys(church, [text.member.phone for text in texts], now=now)
    return [
        Draft(
            to=text.member.phone,
            text=text.text,
            recipient_id=text.member.pk,
            thread=threads[text.member.phone],
        )
        for text in texts
    ]


def update_forecast(broadcast: Broadcast) -> None:
    """Count the current audience of a scheduled broadcast and store the forecast."""
    members = members_of(broadcast.church, Audience.from_json(broadcast.audience))
    texts = render_all(broadcast.church, broadcast.text, members).texts
    numbers = {text.member.phone for text in texts}
    Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False).update(
        total=len(texts),
        forecast_suppressed=len(opt_outs.opted_out(broadcast.church_id, numbers)),
    )


def _schedule(broadcast: Broadcast, texts: Sequence[Rendering], now: datetime) -> None:
    numbers = {text.member.phone for text in texts}
    broadcast.forecast_suppressed = len(opt_outs.opted_out(broadcast.church_id, numbers))
    broadcast.save(force_insert=True)
    # Announce the broadcast now: it has no messages yet that would announce it.
    log.append({f"church:{broadcast.church.slug}": [events.broadcast_created(broadcast)]}, now=now)
