"""Accept messages from the host: from here on a message is a row, and cannot be lost.

The text is cleaned (``delivery.content.visible_text``) before it is stored, so that its encoding and
parts are counted on exactly the characters that are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Model

from delivery import conf, opt_outs
from delivery.changes import message_changes
from delivery.content import media_urls
from delivery.content.encoding import MAX_PARTS, Measured, measure_message
from delivery.content.plain_punctuation import advice
from delivery.content.visible_text import clean, is_blank
from delivery.drafts import DEFAULT_LIFE, Draft
from delivery.limits import destinations
from delivery.models import Message, Priority
from delivery.queue import hints
from delivery.senders import Sender, sender_of
from delivery.sending import inside_request
from delivery.statuses import Status

MAX_MEDIA = media_urls.MOST
_NUMBER = re.compile(r"\+?[0-9]{3,15}")


class UnacceptableError(ValueError):
    """The message cannot be sent. ``field`` names the field that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Times:
    """The due time and the expiry of a message."""

    scheduled_at: datetime | None
    expires_at: datetime
    waits: bool
    """True if it is due later. A scheduled time that has come counts as now."""


def accept_message(
    tenant: Model,
    draft: Draft,
    *,
    author: AbstractBaseUser | None = None,
    scheduled_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Message:
    """Accept one message; it goes before all bulk. Raise :class:`UnacceptableError`.

    With ``DELIVERY["MODE"] = "sync"`` it is sent once, right after the commit: read the row again
    for the outcome.
    """
    times = check_times(scheduled_at, expires_at, now)
    # Before the destination: a sender that is a name has no country.
    _check_recipient(draft.to)
    if reason := destinations.refusal(draft.to, destinations.countries_of(tenant)):
        raise UnacceptableError("to", reason)
    message = _row(tenant, draft, Priority.REPLY, times, author, now, lambda: check_sender(tenant))
    with message_changes(now) as changes:
        _suppress_opted_out(tenant, [message])
        at_once = conf.sync() and message.status == Status.QUEUED
        if at_once:
            # Hide the message from the workers, unless this process dies before it sends it.
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
    """Accept the messages of one batch, all or none. A number that appears twice is accepted once.

    ``batch`` is the host's key of the batch. Raise :class:`UnacceptableError`. A host that keeps a
    batch until it is due passes the ``scheduled_at`` that has come.
    """
    times = check_times(scheduled_at, expires_at, now)
    sender = cache(lambda: check_sender(tenant))
    once: dict[str, Draft] = {}
    for draft in drafts:
        once.setdefault(draft.to, draft)
    rows = [
        _row(tenant, draft, Priority.BULK, times, author, now, sender, batch=batch)
        for draft in once.values()
    ]
    with message_changes(now) as changes:
        _suppress_opted_out(tenant, rows)
        _refuse_destinations(tenant, rows, now)
        Message.objects.bulk_create(rows, batch_size=500)
        for row in rows:
            changes.add(row)
        transaction.on_commit(hints.push)
    return rows


def _row(
    tenant: Model,
    draft: Draft,
    priority: Priority,
    times: Times,
    author: AbstractBaseUser | None,
    now: datetime,
    sender_now: Callable[[], Sender],
    *,
    batch: int | None = None,
) -> Message:
    _check_recipient(draft.to)
    _check_content(draft)
    text = clean(draft.text)
    media = bool(draft.media_urls)
    measured = (
        measure_message(text, media=media) if draft.failure else check_length(text, media=media)
    )
    sender = sender_now()
    # Typed as Any: the host project supplies these models.
    relations: dict[str, Any] = {"tenant": tenant, "author": author}
    row = Message(
        **relations,
        recipient_id=draft.recipient_id,
        status=Status.SCHEDULED if times.waits else Status.QUEUED,
        to_number=draft.to,
        from_number=sender.number,
        provider=sender.provider,
        text=text,
        template=draft.template,
        media_urls=list(draft.media_urls),
        encoding=measured.encoding,
        parts=measured.parts,
        priority=priority,
        batch=batch,
        thread=draft.thread,
        created_at=now,
        updated_at=now,
        scheduled_at=times.scheduled_at,
        expires_at=times.expires_at,
        next_attempt_at=times.scheduled_at if times.waits else now,
        callback_origin=conf.public_url(),
    )
    if draft.failure:
        row.give_up(draft.failure, now)
    return row


def check_sender(tenant: Model) -> Sender:
    """Return the tenant's sender. Raises :class:`UnacceptableError` where it has no number."""
    sender = sender_of(tenant)
    if sender is None:
        raise UnacceptableError(
            "from", "There is no number to text from yet: the operator gives one."
        )
    return sender


def check_length(text: str, *, media: bool = False) -> Measured:
    """Return the measure of a cleaned text. Raise :class:`UnacceptableError` if it is too long."""
    measured = measure_message(text, media=media)
    if measured.parts > MAX_PARTS:
        reason = f"This text needs {measured.parts} parts; at most {MAX_PARTS} can be sent."
        raise UnacceptableError("text", " ".join(filter(None, [reason, advice(text)])))
    return measured


def check_times(scheduled_at: datetime | None, expires_at: datetime | None, now: datetime) -> Times:
    """Return the times. Raise :class:`UnacceptableError` if the message would be too old when due."""
    due = max(scheduled_at or now, now)
    if expires_at is not None and expires_at <= due:
        raise UnacceptableError("expires_at", "This text would expire before it is due.")
    return Times(scheduled_at, expires_at or due + DEFAULT_LIFE, waits=due > now)


def _check_recipient(number: str) -> None:
    """Refuse a sender with a name ("MYBANK") in place of a number: it cannot receive replies."""
    if not _NUMBER.fullmatch(number):
        raise UnacceptableError(
            "to", "This sender is a name and not a number, so it cannot be answered."
        )


def _check_content(draft: Draft) -> None:
    if is_blank(clean(draft.text)) and not draft.media_urls:
        raise UnacceptableError("text", "A text needs words or media.")
    # PostgreSQL stores no NUL, and UTF-8 no lone surrogate.
    if "\x00" in draft.text or any("\ud800" <= letter <= "\udfff" for letter in draft.text):
        raise UnacceptableError("text", "This text holds characters that cannot be sent.")
    if len(draft.media_urls) > MAX_MEDIA:
        raise UnacceptableError("media_urls", f"At most {MAX_MEDIA} media can be sent.")
    for url in draft.media_urls:
        if reason := media_urls.refusal(url):
            raise UnacceptableError("media_urls", reason)


def _suppress_opted_out(tenant: Model, rows: Sequence[Message]) -> None:
    numbers = opt_outs.opted_out(tenant.pk, {row.to_number for row in rows})
    for row in rows:
        if row.to_number in numbers and row.status != Status.DEAD:
            row.status = Status.SUPPRESSED


def _refuse_destinations(tenant: Model, rows: Sequence[Message], now: datetime) -> None:
    """End messages to refused destinations, so that they stay visible and block no other message."""
    allowed = destinations.countries_of(tenant)
    for row in rows:
        if row.status not in {Status.SUPPRESSED, Status.DEAD} and (
            reason := destinations.refusal(row.to_number, allowed)
        ):
            row.give_up(destinations.failure(reason), now)
