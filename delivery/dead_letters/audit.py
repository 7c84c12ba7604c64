from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser

from delivery.models import DeadLetter, DeadLetterAction, Message, RetryRun
from delivery.models.dead_letter import DeadLetterAction as Action

_BATCH = 500


def note(
    letters: Sequence[Message],
    kind: Action.Kind,
    *,
    by: AbstractBaseUser | None,
    at: datetime,
    generations: dict[int, int] | None = None,
    may_double: bool = False,
    reason: str = "",
    run: RetryRun | None = None,
) -> None:
    """Write audit rows about ``letters`` in their state before the action, in the caller's transaction."""
    DeadLetterAction.objects.bulk_create(
        [
            DeadLetterAction(
                message=letter,
                kind=kind,
                by_id=by.pk if by else None,
                at=at,
                status=letter.status,
                error_code=letter.error_code,
                generation=(generations or {}).get(letter.pk, letter.generation),
                may_double=may_double,
                reason=reason[:500],
                run=run,
            )
            for letter in letters
        ],
        batch_size=_BATCH,
    )
    if by is not None and apps.is_installed("django.contrib.admin"):
        _log(letters, _SENTENCES[kind] + (f" {_LABELS[kind]}: {reason}" if reason else ""), by)


_SENTENCES = {
    Action.Kind.RETRY: "Put back into the queue.",
    Action.Kind.DISCARD: "Discarded.",
    Action.Kind.REVIEW: "Reviewed.",
    Action.Kind.ASSIGN: "Assigned.",
    Action.Kind.NOTE: "Noted.",
}
_LABELS = {
    Action.Kind.RETRY: "Reason",
    Action.Kind.DISCARD: "Reason",
    Action.Kind.REVIEW: "Reason",
    Action.Kind.ASSIGN: "To",
    Action.Kind.NOTE: "Note",
}


def _log(letters: Sequence[Message], sentence: str, by: AbstractBaseUser) -> None:
    # Imported here, because the admin may be absent.
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.contenttypes.models import ContentType

    content_type = ContentType.objects.get_for_model(DeadLetter, for_concrete_model=False)
    LogEntry.objects.bulk_create(
        [
            LogEntry(
                user_id=by.pk,
                content_type=content_type,
                object_id=str(letter.pk),
                object_repr=str(letter)[:200],
                action_flag=CHANGE,
                change_message=sentence,
            )
            for letter in letters
        ],
        batch_size=_BATCH,
    )
