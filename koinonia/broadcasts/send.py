"""From "this text to these people" to one row per text, now or when it is due.

A broadcast that is sent at once is accepted in one transaction. A scheduled one is one row until it
is due (``koinonia.broadcasts.due``): its counts are a forecast until then.
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
from koinonia.conversations import threads_of
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
    """Accept the text of each number, or schedule it. Raises ``UnacceptableError``, all or nothing.

    A number that opted out is counted, as ``suppressed``. A number whose text would be too long is
    left out of it: ``left_out`` of the broadcast that is returned names the members.
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
    """Return ``text`` as it is kept. Raises ``UnacceptableError`` where nobody could be sent it."""
    cleaned = clean(text)
    if is_blank(cleaned):
        raise UnacceptableError("text", "A broadcast needs words.")
    placeholders.check(cleaned)
    return cleaned


def render_audience(church: Church, text: str, audience: Audience) -> Renderings:
    """Render the text for the audience of this moment. Raises ``UnacceptableError`` where nobody is
    in the audience, or nobody of it could get the text."""
    members = kept_members_of(church, audience)
    if not members:
        raise UnacceptableError("audience", "There is nobody in this audience.")
    found = render_all(church, text, members)
    if not found.texts:
        first = found.left_out[0]
        raise UnacceptableError("text", f"{first.reason} (Shown for {first.member.name}.)")
    return found


def members_of(church: Church, audience: Audience) -> list[Member]:
    """Return the members of this moment, the oldest first, with what a text needs of them."""
    return list(audience.members(church).only("pk", "first_name", "last_name", "phone"))


def kept_members_of(church: Church, audience: Audience) -> list[Member]:
    """Return :func:`members_of`, in a transaction that writes messages to them: none of them can be
    deleted before it ends, and one that was deleted a moment ago is not among them."""
    members = members_of(church, audience)
    kept = Member.objects.keep(member.pk for member in members)
    return [member for member in members if member.pk in kept]


def drafts(church: Church, texts: Sequence[Rendering], now: datetime) -> list[Draft]:
    """Return the drafts for ``delivery``, each in the conversation of its number."""
    threads = threads_of(church, [text.member.phone for text in texts], now=now)
    return [
        Draft(
            to=text.member.phone,
            text=text.text,
            recipient_id=text.member.pk,
            thread=threads[text.member.phone],
        )
        for text in texts
    ]


def forecast_again(broadcast: Broadcast) -> None:
    """Count for whom a scheduled broadcast would be now."""
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
    # There is no message yet whose creation would announce it.
    log.append({f"church:{broadcast.church.slug}": [events.broadcast_created(broadcast)]}, now=now)
