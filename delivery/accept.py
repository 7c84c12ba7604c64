"""Taking a text in: from here on it is a row, and cannot be lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Model

from delivery import conf, hints, opt_outs
from delivery.changes import message_changes
from delivery.drafts import Draft
from delivery.encoding import MAX_PARTS, measure
from delivery.models import Message, Priority
from delivery.sending import inside_request
from delivery.statuses import Status

DEFAULT_LIFE = timedelta(hours=24)
MAX_MEDIA = 10
_MAX_URL = 2000


class UnacceptableError(ValueError):
    """A text that cannot be sent as it stands. ``field`` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def accept_message(
    tenant: Model,
    draft: Draft,
    *,
    author: AbstractBaseUser | None = None,
    scheduled_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Message:
    """Take one text, ahead of all bulk. Raises :class:`UnacceptableError`.

    With ``DELIVERY["MODE"] = "sync"`` it is sent once, right after the commit: read the row again
    for the outcome.
    """
    times = _times(scheduled_at, expires_at, now)
    message = _row(tenant, draft, Priority.REPLY, times, author, now)
    with message_changes(now) as changes:
        _suppress_opted_out(tenant, [message])
        at_once = conf.sync() and message.status == Status.QUEUED
        if at_once:
            # Out of the workers' sight, unless this process dies before it has sent it.
            message.next_attempt_at = now + timedelta(seconds=conf.lease_seconds())
        message.save(force_insert=True)
        changes.add(message)
        transaction.on_commit(
            (lambda: inside_request.send_once(message.pk)) if at_once else hints.push
        )
    return message


def accept_batch(
    tenant: Model,
    drafts: Iterable[Draft],
    *,
    batch: int,
    author: AbstractBaseUser | None = None,
    scheduled_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> list[Message]:
    """Take the texts of one broadcast, all or none; a number that comes twice is taken once.

    ``batch`` is the host's key of the broadcast. Raises :class:`UnacceptableError`.
    """
    times = _times(scheduled_at, expires_at, now)
    once = {draft.to: draft for draft in reversed(list(drafts))}
    rows = [
        _row(tenant, draft, Priority.BULK, times, author, now, batch=batch)
        for draft in reversed(once.values())
    ]
    with message_changes(now) as changes:
        _suppress_opted_out(tenant, rows)
        Message.objects.bulk_create(rows, batch_size=500)
        for row in rows:
            changes.add(row)
        transaction.on_commit(hints.push)
    return rows


def _row(
    tenant: Model,
    draft: Draft,
    priority: Priority,
    times: tuple[datetime | None, datetime],
    author: AbstractBaseUser | None,
    now: datetime,
    *,
    batch: int | None = None,
) -> Message:
    _check_content(draft)
    measured = measure(draft.text)
    if measured.parts > MAX_PARTS:
        raise UnacceptableError(
            "text", f"This text needs {measured.parts} parts; at most {MAX_PARTS} can be sent."
        )
    number = getattr(tenant, conf.tenant_number_field())
    if not number:
        raise UnacceptableError(
            "from", "There is no number to text from yet: the operator gives one."
        )
    scheduled_at, expires_at = times
    # Of classes that the host chooses, unknown to the types here.
    relations: dict[str, Any] = {"tenant": tenant, "author": author}
    return Message(
        **relations,
        recipient_id=draft.recipient_id,
        status=Status.SCHEDULED if scheduled_at else Status.QUEUED,
        to_number=draft.to,
        from_number=number,
        text=draft.text,
        media_urls=list(draft.media_urls),
        encoding=measured.encoding,
        parts=measured.parts,
        priority=priority,
        batch=batch,
        thread=draft.thread,
        created_at=now,
        updated_at=now,
        scheduled_at=scheduled_at,
        expires_at=expires_at,
        next_attempt_at=scheduled_at or now,
        callback_origin=conf.public_url(),
    )


def _times(
    scheduled_at: datetime | None, expires_at: datetime | None, now: datetime
) -> tuple[datetime | None, datetime]:
    """When it is due (None: at once) and when it is too old to be sent."""
    if scheduled_at is not None and scheduled_at <= now:
        scheduled_at = None
    due = scheduled_at or now
    if expires_at is not None and expires_at <= due:
        raise UnacceptableError("expires_at", "This text would be too old before it is due.")
    return scheduled_at, expires_at or due + DEFAULT_LIFE


def _check_content(draft: Draft) -> None:
    if not draft.text.strip() and not draft.media_urls:
        raise UnacceptableError("text", "A text needs words or media.")
    # PostgreSQL stores no NUL, and UTF-8 no lone surrogate.
    if "\x00" in draft.text or any("\ud800" <= letter <= "\udfff" for letter in draft.text):
        raise UnacceptableError("text", "This text holds characters that cannot be sent.")
    if len(draft.media_urls) > MAX_MEDIA:
        raise UnacceptableError("media_urls", f"At most {MAX_MEDIA} media can be sent.")
    for url in draft.media_urls:
        _check_media_url(url)


def _check_media_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or len(url) > _MAX_URL:
        raise UnacceptableError(
            "media_urls", "Each of the media must be a public http or https URL."
        )


def _suppress_opted_out(tenant: Model, rows: Sequence[Message]) -> None:
    numbers = opt_outs.opted_out(tenant.pk, {row.to_number for row in rows})
    for row in rows:
        if row.to_number in numbers:
            row.status = Status.SUPPRESSED
