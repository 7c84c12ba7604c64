"""The colleague of a dead letter, and the notes of people about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from delivery.dead_letters import audit
from delivery.models import DeadLetterAction, LetterAssignment, Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS

LONGEST_NOTE = 500
MOST = 1_000
"""Dead letters that are assigned at once."""
_MOST_COLLEAGUES = 200


def colleagues() -> QuerySet[Any]:
    """Return the users who may decide about dead letters, by name."""
    users: Any = get_user_model()._default_manager
    backend = "django.contrib.auth.backends.ModelBackend"
    found: QuerySet[Any] = users.with_perm("delivery.change_deadletter", backend=backend)
    return found.filter(is_staff=True).order_by(get_user_model().USERNAME_FIELD)[:_MOST_COLLEAGUES]


def waiting_for(user: AbstractBaseUser) -> int:
    """Return how many dead letters wait for this colleague, counted up to ``MOST``."""
    mine = LetterAssignment.objects.filter(
        to=user.pk, message__status__in=sorted(DEAD_LETTERS), message__discarded_at=None
    )
    return mine.order_by()[:MOST].count()


def assign(
    messages: MessageQuerySet, to: AbstractBaseUser | None, *, by: AbstractBaseUser, now: datetime
) -> int:
    """Assign up to ``MOST`` dead letters to a colleague; None ends the assignment. Return the number."""
    with transaction.atomic():
        rows = list(messages.filter(status__in=sorted(DEAD_LETTERS)).locked()[:MOST])
        theirs = LetterAssignment.objects.filter(message__in=[row.pk for row in rows])
        theirs.delete()
        if to is not None:
            LetterAssignment.objects.bulk_create(
                [LetterAssignment(message=row, to_id=to.pk, by_id=by.pk, at=now) for row in rows]
            )
        name = "" if to is None else to.get_username()
        audit.note(rows, DeadLetterAction.Kind.ASSIGN, by=by, at=now, reason=name)
    return len(rows)


def add_note(message: Message, words: str, *, by: AbstractBaseUser, now: datetime) -> None:
    """Keep a note about a dead letter. Raise ValueError if it is empty or too long."""
    words = words.strip()
    if not words or len(words) > LONGEST_NOTE:
        raise ValueError(f"A note has 1 to {LONGEST_NOTE} characters.")
    with transaction.atomic():
        audit.note([message], DeadLetterAction.Kind.NOTE, by=by, at=now, reason=words)
