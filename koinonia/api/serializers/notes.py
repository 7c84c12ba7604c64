"""Notes of the staff about the person behind a conversation."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from koinonia.api.serializers.fields import ChurchItemField, IdField, TextField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import AuthorSerializer
from koinonia.models import Note
from koinonia.models.note import MAX_NOTE_LENGTH


class NoteSerializer(serializers.Serializer[Note]):
    id = IdField()
    conversation = IdField(source="conversation_id")
    text = serializers.CharField(read_only=True)
    author = AuthorSerializer(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class NewNoteSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """A note with exactly one of ``conversation`` and ``member``."""

    conversation = ChurchItemField("conversations", required=False)
    member = ChurchItemField("members", required=False)
    text = TextField(max_length=MAX_NOTE_LENGTH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("conversation" in attrs) == ("member" in attrs):
            sentence = "Name the person by exactly one of conversation and member."
            raise serializers.ValidationError({"conversation": [sentence]})
        return attrs


class NoteQuerySerializer(serializers.Serializer[Any]):
    conversation = ChurchItemField("conversations", required=False)
    member = ChurchItemField("members", required=False)
