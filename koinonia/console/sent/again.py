"""Send again what did not arrive: one text, the texts of a broadcast by cause, or of some days."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.accept import UnacceptableError
from delivery.dead_letters import REFUSALS, RetryResult, retry
from delivery.models import Message
from delivery.statuses import DEAD_LETTERS
from koinonia import audit
from koinonia.broadcasts.again import MOST_PEOPLE, send_to_missed
from koinonia.console.sent.base import SentView
from koinonia.console.sent.causes import with_code
from koinonia.console.sent.finding import Search
from koinonia.models import Broadcast
from koinonia.numbers import grouped


class _AgainView(SentView):
    http_method_names = ["post"]

    def retry(self, rows: Any, action: str, subject: Any, **detail: Any) -> None:
        """Put these dead letters back into the queue, and say how many."""
        may_double = "may_double" in self.request.POST
        with transaction.atomic():
            result = retry(rows, by=self.user, now=timezone.now(), may_double=may_double)
            if result.retried:
                audit.record(
                    self.church, self.user, action, subject, {"texts": result.retried, **detail}
                )
        self.notice(
            _outcome(result), level=messages.SUCCESS if result.retried else messages.WARNING
        )


class TextAgainView(_AgainView):
    """Send one text again that was not accepted, or that may not have arrived."""

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self.item(Message.objects.filter(tenant=self.church), key)
        self.retry(Message.objects.filter(pk=text.pk), "message.retried", text)
        return self.go(self.link("console-sent-text", text))


class TextsAgainView(_AgainView):
    """Send again the dead letters of some days, or of one cause, that the search shows."""

    def post(self, request: HttpRequest) -> HttpResponse:
        search = Search(self.church, request.POST)
        rows = search.dead_letters(request.POST.get("code", ""))
        self.retry(rows, "message.retried", None, code=request.POST.get("code", ""))
        return self.go(f"{self.link('console-sent-texts')}{search.query()}")


class BroadcastAgainView(_AgainView):
    """Send a broadcast again to the people that it did not reach for one reason."""

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        rows = Broadcast.objects.filter(church=self.church).select_related("church")
        broadcast = self.item(rows, key)
        status, code = request.POST.get("status", ""), request.POST.get("code", "")
        theirs = Message.objects.filter(tenant=self.church, batch=broadcast.pk, status=status)
        missed = with_code(theirs, code)
        if status in DEAD_LETTERS:
            self.retry(missed, "broadcast.retried", broadcast, code=code)
            return self.go(self.link("console-sent-broadcast", broadcast))
        try:
            with transaction.atomic():
                again = send_to_missed(
                    broadcast, missed, status=status, by=self.user, now=timezone.now()
                )
                audit.record(self.church, self.user, "broadcast.retried", broadcast, {"code": code})
        except UnacceptableError as error:
            self.notice(error.message, level=messages.WARNING)
            return self.go(self.link("console-sent-broadcast", broadcast))
        sentence = ngettext(
            "This broadcast goes to %(n)s person once more.",
            "This broadcast goes to %(n)s people once more.",
            again.total,
        )
        self.notice(sentence % {"n": grouped(again.total)})
        if again.total >= MOST_PEOPLE:
            self.notice(_("These are the most at once. Send again for the others."))
        return self.go(self.link("console-sent-broadcast", again))


def _outcome(result: RetryResult) -> str:
    sentences = []
    if result.retried:
        sentence = ngettext(
            "%(n)s text goes out again.", "%(n)s texts go out again.", result.retried
        )
        sentences.append(sentence % {"n": grouped(result.retried)})
    by_code: dict[str, int] = {}
    for _key, code in result.refused:
        by_code[code] = by_code.get(code, 0) + 1
    for code, number in sorted(by_code.items()):
        sentence = ngettext("%(n)s stays: %(why)s", "%(n)s stay: %(why)s", number)
        why = REFUSALS.get(code, code)
        sentences.append(sentence % {"n": grouped(number), "why": why})
    return " ".join(sentences) or _("There is nothing to send again.")
