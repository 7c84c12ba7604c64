"""The pages of "Find a text": the search, the story of one text, and what support does there."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views import View

from delivery import dead_letters
from delivery.admin.sealed import seal, unseal
from delivery.dead_letters.decisions import LONGEST_REASON
from delivery.dead_letters.queue import masked
from delivery.models import Message
from koinonia import audit, ids
from koinonia.console import words
from koinonia.desk.find import asked as asking
from koinonia.desk.find.advice import advice
from koinonia.desk.find.asked import Asked, FindForm
from koinonia.desk.find.search import MOST, find
from koinonia.desk.find.story import person_of, whole_story
from koinonia.models import Church

FIND = "delivery.find_message"
REVEAL = "delivery.reveal_message"
DECIDE = "delivery.change_deadletter"
_NUMBER = "number"


class DeskView(View):
    """A page of the admin for users with ``permission``."""

    permission = FIND
    http_method_names = ["get", "post", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(FIND) or not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def page(self, template: str, shown: dict[str, Any], *, status: int = 200) -> HttpResponse:
        context = {**admin.site.each_context(self.request), **shown}
        return TemplateResponse(self.request, template, context, status=status)

    def text(self, key: str) -> Message:
        decoded = ids.decode(key)
        rows = Message.objects.select_related("tenant", "author", "reviewed_by", "recipient")
        found = rows.filter(pk=decoded).first() if decoded is not None else None
        if found is None:
            raise Http404
        return found


class FindView(DeskView):
    """Take a question by POST, so that no number is in a URL, and show its answer by GET."""

    def post(self, request: HttpRequest) -> HttpResponse:
        form = FindForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        churches = _churches(form)
        if churches is not None and len(churches) != 1:
            return self._show(form, churches=churches, status=422)
        asked = self._asked(form.cleaned_data, churches)
        if asked.is_empty:
            return self._show(form, asked=asked, status=422)
        parameters = asked.parameters()
        if asked.number:
            parameters[_NUMBER] = seal(asked.number, self.user.pk)
        return HttpResponseRedirect(f"{reverse('desk-find')}?{urlencode(parameters)}")

    def get(self, request: HttpRequest) -> HttpResponse:
        if not request.GET:
            return self._show(FindForm())
        number = unseal(request.GET.get(_NUMBER, ""), self.user.pk)
        form = FindForm({**request.GET.dict(), **({"q": number} if number else {})})
        if not form.is_valid():
            return self._show(form, status=422)
        churches = _churches(form)
        if churches is not None and len(churches) != 1:
            return self._show(form, churches=churches, status=422)
        if _NUMBER in request.GET and number is None:
            form.add_error("q", "This search is more than a day old. Type the number again.")
            return self._show(form, status=422)
        asked = self._asked(form.cleaned_data, churches)
        return self._show(form, asked=asked)

    def _asked(self, given: dict[str, Any], churches: list[Church] | None) -> Asked:
        church = churches[0] if churches else None
        return asking.asked_in(given, church, asking.number_in(given["q"], church))

    def _show(
        self,
        form: FindForm,
        *,
        asked: Asked | None = None,
        churches: list[Church] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        is_made = asked is not None and not asked.is_empty
        if asked and asked.number:
            # The page shows the number masked, also in the field.
            form = FindForm(initial=asked.parameters())
        found = find(asked) if asked is not None and is_made else None
        shown = {
            "title": "Find a text",
            "form": form,
            "asked": asked,
            "shown_number": masked(asked.number) if asked else "",
            "found": found,
            "rows": [_row(text) for text in found.texts] if found else [],
            "most": MOST,
            "churches": churches,
            "is_empty": asked is not None and not is_made,
        }
        return self.page("koinonia/desk/find/search.html", shown, status=status)


class StoryView(DeskView):
    """Show the whole story of one text, with number and words hidden."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return self.show(self.text(key))

    def show(self, text: Message, *, revealed: bool = False, error: str = "") -> HttpResponse:
        now = timezone.now()
        shown = {
            "title": f"Text {ids.encode(text.pk)}",
            "text": text,
            "key": ids.encode(text.pk),
            "status": words.of_status(text.status),
            "number": person_of(text) if revealed else masked(person_of(text)),
            "revealed": revealed,
            "advice": advice(text, now),
            "story": whole_story(text, now),
            "may_reveal": self.user.has_perm(REVEAL),
            "may_decide": self.user.has_perm(DECIDE),
            "may_read_events": self.user.has_perm("delivery.view_webhookevent"),
            "longest_reason": LONGEST_REASON,
            "error": error,
        }
        return self.page("koinonia/desk/find/story.html", shown, status=422 if error else 200)


class RevealView(StoryView):
    """Show number and words once. Who looked at which text is in the church's audit log."""

    permission = REVEAL
    http_method_names = ["post"]

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self.text(key)
        audit.record(text.tenant, self.user, "message.revealed", text, now=timezone.now())
        return self.show(text, revealed=True)


class ActView(StoryView):
    """Retry, review or discard a dead letter from its story."""

    permission = DECIDE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self.text(key)
        act = request.POST.get("act", "")
        if act == "retry":
            self._retry(text)
        elif act == "review":
            done = dead_letters.review(text, by=self.user, now=timezone.now())
            self._say(done, "Marked as reviewed by you.")
        elif act == "discard":
            reason = request.POST.get("reason", "").strip()
            if not reason or len(reason) > LONGEST_REASON:
                return self.show(text, error="Give a reason: it is kept with the text.")
            done = dead_letters.discard(text, by=self.user, reason=reason, now=timezone.now())
            self._say(done, "Discarded. It is not sent.")
        else:
            raise Http404
        return HttpResponseRedirect(reverse("desk-story", args=[key]))

    def _retry(self, text: Message) -> None:
        now = timezone.now()
        with transaction.atomic():
            result = dead_letters.retry(
                Message.objects.filter(pk=text.pk), by=self.user, now=now,
                may_double="may_double" in self.request.POST,
            )  # fmt: skip
            if result.retried:
                audit.record(text.tenant, self.user, "message.retried", text, now=now)
        for _key, code in result.refused:
            sentence = dead_letters.REFUSALS.get(code, code)
            messages.warning(self.request, f"It stays as it is. {sentence}")
        if result.retried:
            messages.success(
                self.request, "It is in the queue again. This page shows what follows."
            )

    def _say(self, done: bool, sentence: str) -> None:
        if done:
            messages.success(self.request, sentence)
        else:
            messages.warning(self.request, "It is no longer in the queue: a colleague was quicker.")


def _churches(form: FindForm) -> list[Church] | None:
    """Return the churches that the form may mean; None if it names none."""
    text = form.cleaned_data["church"]
    return asking.churches_like(text) if text else None


def _row(text: Message) -> dict[str, Any]:
    explanation = words.explain(text.error_code, text.provider) if text.error_code else ""
    return {
        "text": text,
        "key": ids.encode(text.pk),
        "number": masked(person_of(text)),
        "status": words.of_status(text.status),
        "explanation": explanation,
    }
