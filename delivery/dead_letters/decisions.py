from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from delivery.dead_letters import audit
from delivery.dead_letters.queue import dead_letters
from delivery.models import DeadLetterAction, Message
from delivery.models.queue import MessageQuerySet

LONGEST_REASON = 500
_CHUNK = 1000


def discard(message: Message, *, by: AbstractBaseUser | None, reason: str, now: datetime) -> bool:
    """Remove it from the queue, and keep the row with the reason. Return False if it is not in the queue.

    The status stays, because it says what happened to the message. Raise ValueError without a reason.
    """
    return discard_all(Message.objects.filter(pk=message.pk), by=by, reason=reason, now=now) == 1


def discard_all(
    messages: MessageQuerySet, *, by: AbstractBaseUser | None, reason: str, now: datetime
) -> int:
    """Discard each of ``messages`` (see :func:`discard`), a thousand per transaction. Return their number."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ValueError(f"A reason of 1 to {LONGEST_REASON} characters is needed.")
    ids = sorted(messages.order_by().values_list("pk", flat=True))
    chunks = [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
    kind = DeadLetterAction.Kind.DISCARD
    marks = {"discarded_at": now, "discarded_reason": reason}
    return sum(_decide(chunk, kind, by, now, reason, marks) for chunk in chunks)


def review(message: Message, *, by: AbstractBaseUser | None, now: datetime) -> bool:
    """Mark it as reviewed. Return False if it is not in the queue."""
    marks = {"reviewed_by": by, "reviewed_at": now}
    return _decide([message.pk], DeadLetterAction.Kind.REVIEW, by, now, "", marks) == 1


def _decide(
    ids: Sequence[int],
    kind: DeadLetterAction.Kind,
    by: AbstractBaseUser | None,
    now: datetime,
    reason: str,
    marks: Mapping[str, object],
) -> int:
    with transaction.atomic():
        letters = list(dead_letters().filter(pk__in=ids).locked())
        dead_letters().filter(pk__in=[letter.pk for letter in letters]).update(**marks)
        audit.note(letters, kind, by=by, at=now, reason=reason)
    return len(letters)
