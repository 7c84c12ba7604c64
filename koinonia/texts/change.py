"""Changing a scheduled text: its words, its time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from delivery.accept import UnacceptableError
from delivery.content.visible_text import clean
from delivery.drafts import Draft
from delivery.models import Message
from delivery.scheduled import change_scheduled
from koinonia.broadcasts.change import UNCHANGED, Unchanged
from koinonia.media.storage import keep_used
from koinonia.models import Church, Member
from koinonia.texts import placeholders
from koinonia.texts.compose import compose_single


def change_text(
    church: Church,
    message: Message,
    *,
    text: str | None = None,
    send_at: datetime | Unchanged | None = UNCHANGED,
    edits: int | None = None,
    now: datetime,
) -> bool:
    """Change a text that no worker has taken. Return False if it is too late, or if its edits are not
    ``edits`` any more.

    Raise ``UnacceptableError``; then nothing has changed.
    """
    if message.batch is not None or message.scheduled_at is None:
        return False
    member = Member.objects.filter(church=church, pk=message.recipient_id or 0).first()
    template = template_of(message) if text is None else clean(text)
    draft = Draft(
        to=message.to_number,
        text=compose_single(template, member, church),
        template=template if placeholders.names_in(template) else "",
        recipient_id=message.recipient_id,
        media_urls=tuple(message.media_urls),
        thread=message.thread,
    )
    due = message.scheduled_at if isinstance(send_at, Unchanged) else send_at or now
    try:
        with transaction.atomic():
            keep_used(church, message.media_urls, due=due)
            return change_scheduled(message, draft, scheduled_at=due, edits=edits, now=now)
    except UnacceptableError as error:
        field = "scheduled_at" if error.field == "expires_at" else error.field
        raise UnacceptableError(field, error.message) from error


def template_of(message: Message) -> str:
    """Return the text with its placeholders."""
    return message.template or message.text
