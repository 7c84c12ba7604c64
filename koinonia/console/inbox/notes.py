"""Notes about the person of a conversation."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia import ids
from koinonia.api.serializers.notes import NewNoteSerializer
from koinonia.api.views.notes import too_many
from koinonia.console.forms import add_errors
from koinonia.console.inbox.forms import NoteForm
from koinonia.console.inbox.thread import ConversationPage
from koinonia.inbox import notes
from koinonia.models import Note, Role


class AddNoteView(ConversationPage):
    """Adds a note."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        form = NoteForm(request.POST)
        form.is_valid()
        serializer = NewNoteSerializer(
            data={"conversation": id, "text": request.POST.get("text", "")},
            context={"church": self.church},
        )
        if not serializer.is_valid():
            add_errors(form, serializer.errors)
            return self.show(note=form, status=422)
        try:
            notes.add(
                self.church, self.conversation, serializer.validated_data["text"],
                author=self.user, now=timezone.now(),
            )  # fmt: skip
        except notes.TooManyNotesError:
            add_errors(form, {"text": [too_many()]})
            return self.show(note=form, status=422)
        self.notice(_("The note is kept."), accepted=f"note-{id}")
        return self.go(self.here)


class DeleteNoteView(ConversationPage):
    """Deletes a note of its author, after a question."""

    read_role = Role.SENDER

    def get(self, request: HttpRequest, id: str, note: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        return self.ask(
            _("Delete this note?"), [_("A deleted note is gone.")], words=self._found(note).text,
            yes=_("Delete"), back=self.here,
        )  # fmt: skip

    def post(self, request: HttpRequest, id: str, note: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        notes.delete(self.church, self._found(note), by=self.user, now=timezone.now())
        self.notice(_("The note is deleted."))
        return self.go(self.here)

    def _found(self, key: str) -> Note:
        kept = Note.objects.filter(conversation=self.conversation, author=self.user)
        found = kept.filter(pk=ids.decode(key) or 0).first()
        if found is None:
            raise Http404("You have no such note here.")
        return found
