"""The page of one text: its words, its story, and its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.cancel import cancel_message
from delivery.models import Direction, Message
from delivery.models.queue import DUE_STATUSES
from delivery.statuses import DEAD_LETTERS, Status
from koinonia import audit, ids
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.console import words
from koinonia.console.sent.base import SentView, may_be_undone
from koinonia.console.sent.timeline import story
from koinonia.models import Role

_TEXT = PreparedQuery(
    lambda: Message.objects.filter(
        tenant=Parameter("church"), pk=Parameter("key"), direction=Direction.OUTBOUND
    ).select_related("recipient", "author")
)


class _OneText(SentView):
    def text(self, key: str) -> Message:
        return self.item(_TEXT, key)


class TextView(_OneText):
    """Shows one text with its story."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        text, now = self.text(key), timezone.now()
        is_planned = text.status == Status.SCHEDULED
        waits = text.status in DUE_STATUSES
        shown = {
            "text": text,
            "id": ids.encode(text.pk),
            "status": words.of_status(text.status),
            "why": words.explain(text.error_code, text.provider) if text.error_code else "",
            "remedy": words.remedy_for(text),
            "story": story(self.church, text, now),
            "is_planned": is_planned and text.batch is None,
            "waits": waits and not text.ambiguous,
            "undo": is_planned and may_be_undone(text.scheduled_at, text.created_at, now),
            "may_be_retried": text.status in DEAD_LETTERS and text.discarded_at is None,
            "may_double": text.status == Status.UNKNOWN,
            "broadcast": ids.encode(text.batch) if text.batch else "",
            "conversation": ids.encode(text.thread) if text.thread else "",
            "member": ids.encode(text.recipient_id) if text.recipient_id else "",
        }
        return self.page("koinonia/console/sent/text.html", shown)


class StopTextView(_OneText):
    """Cancel a text that has not gone: undo, or, after a question, one that waits."""

    read_role = Role.SENDER

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self.text(key)
        back = self.link("console-sent-text", text)
        if text.status not in DUE_STATUSES:
            return self.go(back)
        planned = text.scheduled_at if text.status == Status.SCHEDULED else None
        return self.ask(
            _("Cancel this text?"), [_("It is not sent, and that cannot be taken back.")],
            words=text.text, dates=[planned] if planned else [], yes=_("Cancel it"), back=back,
        )  # fmt: skip

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self.text(key)
        with transaction.atomic():
            cancelled = cancel_message(text, now=timezone.now())
            if cancelled:
                audit.record(self.church, self.user, "message.cancelled", text)
        if cancelled:
            self.notice(_("Cancelled. This text does not go out."))
        elif text.status != Status.CANCELLED:
            sentence = _("It is too late: this text is no longer waiting.")
            self.notice(sentence, level=messages.WARNING)
        return self.go(self.link("console-sent-text", text))
