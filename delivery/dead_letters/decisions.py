from __future__ import annotations

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from delivery.dead_letters import audit
from delivery.dead_letters.queue import dead_letters
from delivery.models import DeadLetterAction, Message

LONGEST_REASON = 500


def discard(message: Message, *, by: AbstractBaseUser | None, reason: str, now: datetime) -> bool:
    """Take it out of the queue; the row stays, with the reason. False where it is not in it.

    Its status stays too: it says what became of the text. Raises ValueError without a reason.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ValueError(f"A reason of 1 to {LONGEST_REASON} characters is needed.")
    return _decide(
        message, DeadLetterAction.Kind.DISCARD, by, now,
        reason=reason, discarded_at=now, discarded_reason=reason,
    )  # fmt: skip


def review(message: Message, *, by: AbstractBaseUser | None, now: datetime) -> bool:
    """Note that somebody has looked at it. False where it is not in the queue."""
    return _decide(message, DeadLetterAction.Kind.REVIEW, by, now, reviewed_by=by, reviewed_at=now)


def _decide(
    message: Message,
    kind: DeadLetterAction.Kind,
    by: AbstractBaseUser | None,
    now: datetime,
    *,
    reason: str = "",
    **marks: object,
) -> bool:
    with transaction.atomic():
        if not dead_letters().filter(pk=message.pk).update(**marks):
            return False
        message.refresh_from_db()
        audit.note([message], kind, by=by, at=now, reason=reason)
    return True
