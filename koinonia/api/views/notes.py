from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_204_NO_CONTENT

from koinonia.api.serializers.notes import (
    NewNoteSerializer,
    NoteQuerySerializer,
    NoteSerializer,
)
from koinonia.api.views.base import ChurchView, ItemView, ListView
from koinonia.conversations import conversation_with
from koinonia.inbox import notes
from koinonia.models import Conversation, Member, Note


def too_many() -> str:
    """Return the error about a person with ``MAX_NOTES`` notes."""
    sentence = _("There are %(most)s notes about this person already: delete one of yours first.")
    return sentence % {"most": notes.MAX_NOTES}


NOT_YOURS = "This note is a colleague's: only its author can delete it."


class _Notes(ChurchView):
    serializer_class = NoteSerializer
    item_route = "api:note"
    collections = ("notes", "conversations", "members", "people")

    def get_queryset(self) -> QuerySet[Note]:
        return Note.objects.filter(church=self.church).select_related("author")


class NotesView(_Notes, ListView):
    """Notes of the staff about people, newest first. The people never see them."""

    query_serializer = NoteQuerySerializer

    def filter_queryset(self, queryset: Any) -> Any:
        query = self.query()
        if conversation := query.get("conversation"):
            queryset = queryset.filter(conversation=conversation)
        if member := query.get("member"):
            threads = Conversation.objects.filter(church=self.church, phone=member.phone)
            queryset = queryset.filter(conversation__in=threads.values("pk"))
        return super().filter_queryset(queryset)

    @extend_schema(parameters=[NoteQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    @extend_schema(request=NewNoteSerializer, responses={201: NoteSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep a note about the person of a conversation, or about a member."""
        given, now = self.checked(NewNoteSerializer), timezone.now()
        member: Member | None = given.get("member")
        conversation = (
            conversation_with(self.church, member.phone, now=now)
            if member
            else given["conversation"]
        )
        try:
            note = notes.add(self.church, conversation, given["text"], author=self.user, now=now)
        except notes.TooManyNotesError:
            raise ValidationError({"text": [too_many()]}) from None
        return self.created(note, NoteSerializer(note).data)


class NoteView(_Notes, ItemView):
    """A note."""

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a note that you wrote."""
        note: Note = self.get_object()
        if note.author_id != self.user.pk:
            raise PermissionDenied(NOT_YOURS)
        notes.delete(self.church, note, by=self.user, now=timezone.now())
        return Response(status=HTTP_204_NO_CONTENT)
