"""Accept messages from the host: from here on a message is a row, and cannot be lost.

The text is cleaned (``delivery.content.visible_text``) before it is stored, so that its encoding and
parts are counted on exactly the characters that are sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Model

from delivery import conf, opt_outs
from delivery.acceptable import (
    CONTENT,
    MAX_MEDIA,
    Times,
    UnacceptableError,
    check_content,
    check_length,
    check_media,
    check_recipient,
    check_sender,
    check_times,
    content_of,
)
from delivery.batch_rows import BatchRows
from delivery.changes import NewBatch, message_changes
from delivery.drafts import Draft
from delivery.limits import destinations
from delivery.models import Message, Priority
from delivery.queue import hints
from delivery.senders import Sender
from delivery.sending import inside_request
from delivery.statuses import Status

__all__ = [
    "MAX_MEDIA", "UnacceptableError", "accept_batch", "accept_message", "check_length", "check_media",
    "check_sender", "check_times",
]  # fmt: skip

SLICE = 1_000
"""Messages of a batch that are in memory at a time, and in one statement."""


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
    check_recipient(draft.to)
    if reason := destinations.refusal(draft.to, destinations.countries_of(tenant)):
        raise UnacceptableError("to", reason)
    content = content_of(draft, *check_content(draft))
    message = _message(tenant, Priority.REPLY, times, author, check_sender(tenant), now)
    for name, value in zip(CONTENT, content, strict=True):
        setattr(message, name, value)
    with message_changes(now) as changes:
        if draft.failure:
            message.give_up(draft.failure, now)
        elif opt_outs.opted_out(tenant.pk, {draft.to}):
            message.status = Status.SUPPRESSED
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
) -> NewBatch:
    """Accept the messages of one batch, all or none. A number that appears twice is accepted once.

    ``batch`` is the host's key of the batch. Raise :class:`UnacceptableError`. A host that keeps a
    batch until it is due passes the ``scheduled_at`` that has come. ``drafts`` may be a generator:
    it is read and written in slices, so that memory does not grow with the batch.
    """
    times = check_times(scheduled_at, expires_at, now)
    waiting, rows = iter(drafts), None
    with message_changes(now) as changes:
        while some := list(islice(waiting, SLICE)):
            if rows is None:
                shared = _message(tenant, Priority.BULK, times, author, check_sender(tenant), now)
                shared.batch = batch
                rows = BatchRows(tenant, shared, now)
            rows.insert(some)
        accepted = NewBatch(tenant.pk, batch, rows.counts if rows else {})
        if rows:
            changes.batches.append(accepted)
            for failed in rows.failed():
                changes.add(failed)
            transaction.on_commit(hints.push)
    return accepted


def _message(
    tenant: Model,
    priority: Priority,
    times: Times,
    author: AbstractBaseUser | None,
    sender: Sender,
    now: datetime,
) -> Message:
    """Return a new message without its recipient and its words."""
    # Typed as Any: the host project supplies these models.
    relations: dict[str, Any] = {"tenant": tenant, "author": author}
    return Message(
        **relations,
        status=Status.SCHEDULED if times.waits else Status.QUEUED,
        from_number=sender.number,
        provider=sender.provider,
        priority=priority,
        created_at=now,
        updated_at=now,
        scheduled_at=times.scheduled_at,
        expires_at=times.expires_at,
        next_attempt_at=times.scheduled_at if times.waits else now,
        callback_origin=conf.public_url(),
        trace=conf.trace(),
    )
