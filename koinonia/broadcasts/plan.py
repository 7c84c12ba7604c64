"""From "this text to these people" to one row per text, in one transaction."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from delivery.accept import UnacceptableError, accept_batch
from delivery.changes import message_changes
from delivery.drafts import Draft
from koinonia.broadcasts import placeholders
from koinonia.broadcasts.audience import Audience
from koinonia.conversations.threads import threads_of
from koinonia.models import Broadcast, Church


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
    """Render, freeze and accept the text of each member. Raises ``UnacceptableError``, all or nothing.

    Who has opted out is counted, as ``suppressed``.
    """
    _check(text)
    with message_changes(now):
        members = list(audience.members(church).only("pk", "first_name", "last_name", "phone"))
        if not members:
            raise UnacceptableError("audience", "There is nobody in this audience.")
        threads = threads_of(church, [member.phone for member in members], now=now)
        broadcast = Broadcast.objects.create(
            church=church,
            text=text,
            audience=audience.as_sent,
            total=len({member.phone for member in members}),
            author=author,
            created_at=now,
            scheduled_at=scheduled_at,
        )
        drafts = [
            Draft(
                to=member.phone,
                text=placeholders.render(text, member, church),
                recipient_id=member.pk,
                thread=threads[member.phone],
            )
            for member in members
        ]
        accept_batch(
            church, drafts, batch=broadcast.pk, author=author,
            scheduled_at=scheduled_at, expires_at=expires_at, now=now,
        )  # fmt: skip
    return broadcast


def _check(text: str) -> None:
    if not text.strip():
        raise UnacceptableError("text", "A broadcast needs words.")
    if strangers := placeholders.unknown(text):
        named = ", ".join(f"{{{name}}}" for name in strangers)
        known = ", ".join(f"{{{name}}}" for name in placeholders.NAMES)
        raise UnacceptableError("text", f"Unknown placeholder: {named}. There are {known}.")
