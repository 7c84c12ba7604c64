"""The reply to a conversation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.acceptable import UnacceptableError
from delivery.changes import message_changes
from delivery.models import Direction, Message
from koinonia import ids
from koinonia.api.serializers.messages import ReplySerializer
from koinonia.console.forms import add_errors
from koinonia.console.inbox.forms import ReplyForm
from koinonia.console.inbox.thread import ConversationPage
from koinonia.inbox import changes
from koinonia.models import Conversation
from koinonia.texts.send import send_text
from throttling import limits
from throttling.allowlist import Caller


class ReplyView(ConversationPage):
    """Sends a reply, if no colleague has answered meanwhile."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        form = ReplyForm(request.POST)
        form.is_valid()
        if not form.cleaned_data["text"].strip():
            form.add_error("text", _("Write a text first."))
            return self.show(reply=form, status=422)
        serializer = ReplySerializer(
            data={"text": request.POST.get("text", "")}, context={"church": self.church}
        )
        if not serializer.is_valid():
            add_errors(form, serializer.errors)
            return self.show(reply=form, status=422)
        key = str(self.user.pk)
        if not limits.charge("messages", key, caller=Caller(user=key)).allowed:
            form.add_error(None, _("That was a lot at once. Wait a minute, then send it again."))
            return self.show(reply=form, status=429)
        try:
            answered = self._send(serializer.validated_data["text"])
        except UnacceptableError as error:
            add_errors(form, error)
            return self.show(reply=form, status=422)
        if answered is not None:
            form.add_error(None, _answered(answered))
            return self.show(reply=form, status=422)
        return self._accepted()

    def _send(self, text: str) -> Message | None:
        """Send the text, or return the answer that this page had not shown.

        A second click on "Send" finds the first one's text, and sends nothing.
        """
        now = timezone.now()
        with message_changes(now):
            # Two answers to one conversation wait for this lock.
            Conversation.objects.select_for_update().get(pk=self.conversation.pk)
            answer = self._unseen_answer()
            if answer is not None:
                return None if self._is_mine(answer, text) else answer
            send_text(
                self.church, text, to=self.conversation.phone, author=self.user, through="page",
                now=now,
            )  # fmt: skip
        return None

    def _unseen_answer(self) -> Message | None:
        """Return the latest single text that was sent after the last text on the page."""
        if "seen" not in self.request.POST:
            return None
        seen = ids.decode(self.request.POST["seen"]) or 0
        later = Message.objects.filter(
            tenant=self.church, thread=self.conversation.pk, pk__gt=seen,
            direction=Direction.OUTBOUND, batch=None,
        )  # fmt: skip
        return later.select_related("author").order_by("-pk").first()

    def _is_mine(self, answer: Message, text: str) -> bool:
        return answer.author_id == self.user.pk and answer.text == text

    def _accepted(self) -> HttpResponse:
        self.read()
        self.notice(_("Your text is on its way."), accepted=f"reply-{self.kwargs['id']}")
        if self.request.POST.get("then") != "done":
            return self.go(f"{self.here}#end")
        try:
            changes.change(
                self.church, self.conversation, by=self.user, done=True, now=timezone.now()
            )
        except changes.UnreadTextsError:
            self.notice(_("A new text has arrived, so the conversation stays open."))
            return self.go(f"{self.here}#end")
        return self.go(self.back)


def _answered(answer: Message) -> str:
    if answer.author is None:
        return _(
            "Somebody has answered meanwhile. Read the answer, then send yours if it is still needed."
        )
    sentence = _(
        "%(name)s has answered meanwhile. Read the answer, then send yours if it is still needed."
    )
    return sentence % {"name": answer.author.get_username()}
