"""The decisions of one click about a conversation: read, assigned, done, opted out, not a STOP."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.models import Message
from koinonia import ids
from koinonia.api.serializers.conversations import ConversationChangeSerializer
from koinonia.console.inbox.thread import ConversationPage
from koinonia.inbox import changes
from koinonia.models import Staff


class ReadView(ConversationPage):
    """Marks the texts as read that the page has shown."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        self.read()
        return HttpResponse(status=204) if "quietly" in request.POST else self.go(self.here)


class AssignView(ConversationPage):
    """Assigns the conversation to a colleague, or takes the assignment away."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        serializer = ConversationChangeSerializer(
            data={"assigned_to": request.POST.get("to") or None},
            context={"church": self.church, "membership": self.membership},
        )
        if not serializer.is_valid():
            self.notice(str(serializer.errors["assigned_to"][0]), level=messages.ERROR)
            return self.go(self.here)
        to: Staff | None = serializer.validated_data["assigned_to"]
        changes.change(
            self.church, self.conversation, by=self.user, assigned_to=to, now=timezone.now()
        )
        if to is None:
            self.notice(_("Nobody is assigned to this conversation any more."))
        elif to.pk == self.membership.pk:
            self.notice(_("This conversation is yours now."))
        else:
            name = to.user.get_username()
            self.notice(_("%(name)s answers this conversation now.") % {"name": name})
        return self.go(self.here)


class DoneView(ConversationPage):
    """Marks the conversation as done, or opens it again."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        done = request.POST.get("done") == "yes"
        if done:
            self.read()
        now = timezone.now()
        try:
            changes.change(self.church, self.conversation, by=self.user, done=done, now=now)
        except changes.UnreadTextsError:
            self.notice(_("A new text has arrived. Read it first."), level=messages.WARNING)
            return self.go(self.here)
        if done:
            self.notice(_("Done. The next text from this person opens the conversation again."))
            return self.go(self.back)
        self.notice(_("The conversation is open again."))
        return self.go(self.here)


class OptOutView(ConversationPage):
    """Never texts the number again."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        changes.opt_out(self.church, self.conversation, by=self.user, now=timezone.now())
        self.notice(_("This number is opted out. Only a START from the number allows texts again."))
        return self.go(self.here)


class NotAStopView(ConversationPage):
    """Takes the mark from a text that only looks like a request to stop."""

    def post(self, request: HttpRequest, id: str, text: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        theirs = Message.objects.filter(tenant=self.church, thread=self.conversation.pk)
        message = theirs.filter(pk=ids.decode(text) or 0).first()
        if message is None:
            raise Http404("This conversation does not have the text.")
        changes.keep_texting(self.church, message, by=self.user, now=timezone.now())
        self.notice(_("The mark is gone. You can go on texting this number."))
        return self.go(self.here)
