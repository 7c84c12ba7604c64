"""The acts of the support desk on dead letters: retry, assign, note, review, discard, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from delivery import dead_letters
from delivery.admin.readonly import acting_user
from delivery.dead_letters import care, runs
from delivery.desk.durations import in_words
from delivery.models import DeadLetter, Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import Status

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[DeadLetter]
else:
    # Django's classes take no type arguments at run time.
    AdminBase = admin.ModelAdmin

_GONE = "Nothing was done: these texts are no longer in the queue. A colleague was quicker."
_TITLES = {"retry": "Retry dead letters", "discard": "Discard", "assign": "Assign to a colleague"}


class LetterActs(AdminBase):
    """The actions of the list, and the buttons of the page of one dead letter."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may decide; the actions require it. The form itself is read-only."""
        return request.user.has_perm("delivery.change_deadletter")

    @admin.action(description="Retry…", permissions=["decide"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Show the forecast first, then retry as one run and lead to its page."""
        if not queryset.exists():
            return self.tell_gone(request)
        if "confirmed" not in request.POST:
            forecast = runs.forecast(_messages(queryset))
            return self._ask(request, queryset, "retry", **_in_words(forecast))
        return self._begin(request, queryset)

    @admin.action(description="Assign to a colleague…", permissions=["decide"])
    def assign_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        if not queryset.exists():
            return self.tell_gone(request)
        if "assignee" not in request.POST:
            return self._ask(
                request, queryset, "assign", colleagues=care.colleagues(), most=care.MOST
            )
        self._assign(request, queryset)
        return None

    @admin.action(description="Discard…", permissions=["decide"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if not queryset.exists():
            return self.tell_gone(request)
        if not reason:
            asked = "confirmed" in request.POST
            return self._ask(request, queryset, "discard", reason_missing=asked)
        count = dead_letters.discard_all(
            _messages(queryset), by=acting_user(request), reason=reason[:500], now=timezone.now()
        )
        self.message_user(request, f"Discarded: {count:,}.", messages.SUCCESS)
        self._tell_missing(request, count)
        return None

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        LogEntry.objects.create(
            user_id=acting_user(request).pk,
            content_type=ContentType.objects.get_for_model(DeadLetter, for_concrete_model=False),
            object_repr="Dead letters",
            action_flag=CHANGE,
            change_message=f"Exported {queryset.count()} as CSV.",
        )
        return HttpResponse(
            "".join(dead_letters.export(_messages(queryset))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="dead-letters.csv"'},
        )

    def decide(self, request: HttpRequest, letter: DeadLetter) -> HttpResponse:
        """Do the act of a button on the page of one dead letter."""
        queryset = self.get_queryset(request).filter(pk=letter.pk)
        if "_note" in request.POST:
            return self._note(request, letter)
        if "_assign" in request.POST:
            self._assign(request, queryset)
            return HttpResponseRedirect(request.path)
        if "_review" in request.POST:
            dead_letters.review(letter, by=acting_user(request), now=timezone.now())
            self.message_user(request, "Marked as reviewed by you.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        answer: HttpResponse | None = None
        if "_retry" in request.POST and letter.status == Status.UNKNOWN:
            answer = self.retry_selected(request, queryset)
        elif "_retry" in request.POST:
            answer = self._begin(request, queryset)
        elif "_discard" in request.POST:
            answer = self.discard_selected(request, queryset)
        return answer or HttpResponseRedirect(_list_url())

    def tell_gone(self, request: HttpRequest) -> HttpResponse:
        """Answer an order about texts that have left the queue, mostly by a colleague's hand."""
        self.message_user(request, _GONE, messages.WARNING)
        return HttpResponseRedirect(request.get_full_path() if _is_list(request) else _list_url())

    def _begin(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        run = runs.begin(
            _messages(queryset),
            by=acting_user(request),
            now=timezone.now(),
            may_double=request.POST.get("may_double") == "yes",
            reason=request.POST.get("reason", ""),
        )
        self._tell_missing(request, run.chosen)
        return HttpResponseRedirect(reverse("admin:delivery_retryrun_change", args=[run.pk]))

    def _tell_missing(self, request: HttpRequest, done: int) -> None:
        """Say how many of the texts on the page of the question had left the queue before the order."""
        asked = request.POST.get("counted", "")
        counted = min(int(asked), runs.MOST) if asked.isdecimal() and len(asked) < 10 else 0
        if done < counted:
            sentence = f"{counted - done:,} of the {counted:,} had left the queue: a colleague was quicker."
            self.message_user(request, sentence, messages.WARNING)

    def _note(self, request: HttpRequest, letter: DeadLetter) -> HttpResponse:
        try:
            dead_letters.add_note(
                letter, request.POST.get("note", ""), by=acting_user(request), now=timezone.now()
            )
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, "The note is kept with the text.", messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    def _assign(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        wanted = request.POST.get("assignee", "")
        known = {str(one.pk): one for one in care.colleagues()}
        if wanted and wanted not in known:
            self.message_user(request, "This colleague may not decide.", messages.ERROR)
            return
        to = known.get(wanted)
        count = dead_letters.assign(
            _messages(queryset), to, by=acting_user(request), now=timezone.now()
        )
        whom = to.get_username() if to else "nobody"
        self.message_user(request, f"Assigned to {whom}: {count:,}.", messages.SUCCESS)
        if count < care.MOST:
            self._tell_missing(request, count)
        else:
            more = f"{care.MOST:,} are assigned at once. Repeat it for the others."
            self.message_user(request, more, messages.WARNING)

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], action: str, **more: Any
    ) -> HttpResponse:
        """Return the confirmation page of an action. It posts to the list, like the action."""
        across = request.POST.get("select_across") == "1"
        on_list = _is_list(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _TITLES[action],
            "count": queryset.count(),
            "action": action,
            "action_name": f"{action}_selected",
            "post_to": request.get_full_path() if on_list else _list_url(),
            "across": int(across),
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "ids": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
            or [str(letter.pk) for letter in queryset],
            "media": self.media,
            **more,
        }
        return TemplateResponse(request, "admin/delivery/deadletter/confirm.html", context)


def _in_words(forecast: runs.Forecast) -> dict[str, Any]:
    """Return the forecast for the page."""
    return {
        "forecast": forecast,
        "time": in_words(forecast.seconds),
        "double_time": in_words(forecast.double_seconds),
        "refusals": [
            (number, dead_letters.REFUSALS[code]) for code, number in forecast.refused.most_common()
        ],
        "most": runs.MOST,
        "can_go": forecast.going + forecast.doubles > 0,
    }


def _messages(queryset: QuerySet[DeadLetter]) -> MessageQuerySet:
    """Return the same rows as messages, by a subquery, so that any number of rows works."""
    return Message.objects.filter(pk__in=queryset.order_by().values("pk"))


def _is_list(request: HttpRequest) -> bool:
    return request.path == _list_url()


def _list_url() -> str:
    return reverse("admin:delivery_deadletter_changelist")
