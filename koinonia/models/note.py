from __future__ import annotations

from django.db import models

from delivery.models.message import loose_reference_to_user
from koinonia.models.church import Church
from koinonia.models.conversation import Conversation

MAX_NOTE_LENGTH = 2000


class Note(models.Model):
    """A note of the staff about the person behind a conversation. The person never sees it."""

    # Indexes below begin with these two.
    church = models.ForeignKey(Church, models.CASCADE, related_name="notes", db_index=False)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="notes", db_index=False
    )
    author = loose_reference_to_user()
    text = models.CharField(max_length=MAX_NOTE_LENGTH)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["church", "-id"], name="note_list"),
            models.Index(fields=["conversation", "-id"], name="note_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"Note {self.pk}"
