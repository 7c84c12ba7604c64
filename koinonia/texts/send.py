"""Sending a single text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from delivery.accept import accept_message
from delivery.changes import message_changes
from delivery.content.visible_text import clean
from delivery.drafts import Draft
from delivery.models import Message
from koinonia import audit
from koinonia.conversations import conversation_with, member_at, remember_named
from koinonia.media.storage import keep_used
from koinonia.models import Church, Member
from koinonia.texts import placeholders
from koinonia.texts.compose import compose_single


class MemberGoneError(Exception):
    """The named member was deleted in the meantime."""


def send_text(
    church: Church,
    text: str,
    *,
    to: str,
    author: User,
    member: Member | None = None,
    media_urls: Sequence[str] = (),
    send_at: datetime | None = None,
    expires_at: datetime | None = None,
    through: str = "",
    now: datetime,
) -> Message:
    """Accept one text to the number ``to``; ``member`` is the member that the sender named.

    ``through`` is kept in the audit log: ``page`` or ``api``.

    Raise ``UnacceptableError``, or :class:`MemberGoneError`. A refused text leaves no conversation.
    """
    named, member = member, member or member_at(church, to)
    with message_changes(now):
        keep_used(church, media_urls, due=send_at or now)
        if member and not Member.objects.lock_against_deletion([member.pk]):
            if named:
                raise MemberGoneError
            member = None
        thread = conversation_with(church, to, now=now).pk
        if named:
            remember_named(thread, named)
        text = clean(text)
        draft = Draft(
            to=to,
            text=compose_single(text, member, church),
            template=text if send_at and placeholders.names_in(text) else "",
            recipient_id=member.pk if member else None,
            media_urls=tuple(media_urls),
            thread=thread,
        )
        message = accept_message(
            church, draft, author=author, scheduled_at=send_at, expires_at=expires_at, now=now
        )
        detail = {"through": through} if through else {}
        audit.record(church, author, "message.sent", message, detail, now=now)
    message.recipient = member
    return message
