"""Notes that the staff keeps about the person behind a conversation."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from koinonia import audit, events
from koinonia.models import Church, Conversation, Note
from realtime import log

MAX_NOTES = 500
"""The most notes of one conversation."""


class TooManyNotesError(Exception):
    """The conversation has as many notes as it may have."""


def add(
    church: Church, conversation: Conversation, text: str, *, author: User, now: datetime
) -> Note:
    """Create a note, with an event. Raise TooManyNotesError."""
    if Note.objects.filter(conversation=conversation).count() >= MAX_NOTES:
        raise TooManyNotesError
    with transaction.atomic():
        note = Note.objects.create(
            church=church, conversation=conversation, text=text, author=author, created_at=now
        )
        audit.record(church, author, "note.added", conversation, now=now)
        log.append({f"church:{church.slug}": [events.note_created(note)]}, now=now)
    return note


def delete(church: Church, note: Note, *, by: User, now: datetime) -> None:
    """Delete a note, with an event. A second deletion changes nothing."""
    gone = events.note_deleted(note)
    with transaction.atomic():
        if Note.objects.filter(pk=note.pk).delete()[0]:
            audit.record(church, by, "note.deleted", note.conversation, now=now)
            log.append({f"church:{church.slug}": [gone]}, now=now)
