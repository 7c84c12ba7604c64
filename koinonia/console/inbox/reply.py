"""The reply to a conversation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.acceptable import UnacceptableError
from delivery.models import Direction, Message
from koinonia import audit, ids
from koinonia.api.serializers.messages import ReplySerializer
from koinonia.console.forms import add_errors
from koinonia.console.inbox.forms import ReplyForm
from koinonia.console.inbox.thread import ConversationPage
from koinonia.inbox import changes
from koinonia.texts.send import send_text


class ReplyView(ConversationPage):
    """Sends a reply, unless a colleague has answered meanwhile."""

    def post(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        form = ReplyForm(request.POST)
        form.is_valid()
        if sentence := self._answered_meanwhile():
            form.add_error(None, sentence)
            return self.show(reply=form, status=422)
        serializer = ReplySerializer(
            data={"text": request.POST.get("text", "")}, context={"church": self.church}
        )
        if not serializer.is_valid():
            add_errors(form, serializer.errors)
            return self.show(reply=form, status=422)
        now = timezone.now()
        try:
            send_text(
                self.church, serializer.validated_data["text"],
                to=self.conversation.phone, author=self.user, now=now,
            )  # fmt: skip
        except UnacceptableError as error:
            add_errors(form, error)
            return self.show(reply=form, status=422)
        return self._accepted()

    def _accepted(self) -> HttpResponse:
        return self.go(self.here + "#end")
