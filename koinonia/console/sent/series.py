"""Repeating broadcasts: their list, their rule, and to pause, skip or end one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.accept import UnacceptableError
from koinonia import audit, ids
from koinonia.api.serializers.series import ChangedSeriesSerializer
from koinonia.console.forms import add_errors
from koinonia.console.paging import paged
from koinonia.console.sent.audience_words import audience_in_words
from koinonia.console.sent.editing import NAMES, EditView, stale
from koinonia.console.sent.forms import SeriesForm, audience_fields, planned_at, rule_fields
from koinonia.console.sent.series_questions import QUESTIONS
from koinonia.console.sent.series_words import rule_in_words
from koinonia.console.words import Words
from koinonia.models import Broadcast, Role, Series
from koinonia.series import start

_ACTS: dict[str, tuple[Callable[[Series, datetime], bool], str, Words]] = {
    "pause": (
        start.pause,
        "series.paused",
        gettext_lazy("Paused. Nothing goes out until you press “Go on”."),
    ),
    "resume": (
        start.resume,
        "series.resumed",
        gettext_lazy("It goes on. The next time is named below."),
    ),
    "skip": (
        start.skip_next,
        "series.skipped",
        gettext_lazy("Left out. Nobody gets it this time."),
    ),
    "end": (
        start.end,
        "series.ended",
        gettext_lazy("Ended. Nothing more goes out. “Let it go on again” takes it back."),
    ),
    "reopen": (
        start.reopen,
        "series.reopened",
        gettext_lazy("It goes on. The next time is named below."),
    ),
}


class SeriesListView(EditView):
    """The repeating broadcasts of the church, the newest first."""

    read_role = Role.VIEWER

    def get(self, request: HttpRequest) -> HttpResponse:
        page = paged(request, Series.objects.filter(church=self.church).select_related("author"))
        keys = [series.pk for series in page.rows]
        waiting = Broadcast.objects.filter(series__in=keys, due_at__isnull=False)
        due = dict(waiting.values_list("series", "due_at"))
        shown = [
            {
                "series": series,
                "id": ids.encode(series.pk),
                "rule": rule_in_words(series),
                "next": due.get(series.pk),
            }
            for series in page.rows
        ]
        return self.page(
            "koinonia/console/sent/series_list.html",
            {"lines": shown, "page": page, "tab": "series"},
        )


class SeriesItemView(EditView):
    """Shows one repeating broadcast, its next time, and a form to change it."""

    read_role = Role.VIEWER
    serializer = ChangedSeriesSerializer

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return self._shown(self._series(key))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        series = self._series(key)
        form = self._form(series, request.POST)
        given = self.judged(form)
        if given is None or series.ended_at:
            return self._shown(series, form)
        if "send_at" in given:
            given["first_at"] = given.pop("send_at")
        try:
            with transaction.atomic():
                series = start.locked(series.pk)
                if series.version != form.cleaned_data["edits"]:
                    upcoming = series.next_broadcast()
                    at = upcoming.due_at if upcoming else None
                    stale(form, series.text, series.version, at, self.church.timezone)
                    return self._shown(series, form)
                start.change_series(series, **given, now=timezone.now())
                detail = {"fields": sorted(given)}
                audit.record(self.church, self.user, "series.changed", series, detail)
        except UnacceptableError as error:
            add_errors(form, error, NAMES)
            return self._shown(series, form)
        self.notice(_("Saved. The next time follows the new rule."))
        return self.go(self.link("console-sent-series-item", series))

    def _series(self, key: str) -> Series:
        return self.item(_rows(self), key)

    def _shown(self, series: Series, form: SeriesForm | None = None) -> HttpResponse:
        upcoming = series.next_broadcast()
        shown = {
            "series": series,
            "id": ids.encode(series.pk),
            "rule": rule_in_words(series),
            "audience": audience_in_words(self.church, series),
            "next": upcoming,
            "next_id": ids.encode(upcoming.pk) if upcoming else "",
            "form": form or self._form(series, upcoming=upcoming),
            "past": series.broadcasts.filter(due_at=None).order_by("-pk")[:10],
        }
        status = 422 if form is not None and form.errors else 200
        return self.page("koinonia/console/sent/series.html", shown, status)

    def _form(
        self, series: Series, given: Any = None, upcoming: Broadcast | None = None
    ) -> SeriesForm:
        upcoming = upcoming or series.next_broadcast()
        fields = {
            "text": series.text, "edits": series.version,
            **planned_at(upcoming.due_at if upcoming else None),
            **audience_fields(series), **rule_fields(series),
        }  # fmt: skip
        return SeriesForm(self.church, series, given, initial=fields)


class SeriesActView(EditView):
    """Pause, resume, skip, end or reopen a repeating broadcast. It asks before it skips or ends."""

    def get(self, request: HttpRequest, key: str, act: str) -> HttpResponse:
        series = self.item(_rows(self), key)
        if act not in QUESTIONS:
            raise Http404
        back = self.link("console-sent-series-item", series)
        question = QUESTIONS[act](series)
        return self.go(back) if question is None else self.ask(**question, back=back)

    def post(self, request: HttpRequest, key: str, act: str) -> HttpResponse:
        if act not in _ACTS:
            raise Http404
        series = self.item(_rows(self), key)
        change, action, sentence = _ACTS[act]
        try:
            with transaction.atomic():
                done = change(series, timezone.now())
                if done:
                    audit.record(self.church, self.user, action, series)
        except UnacceptableError as error:
            self.notice(error.message, level=messages.WARNING)
            return self.go(self.link("console-sent-series-item", series))
        if done:
            self.notice(str(sentence))
        else:
            self.notice(_("Nothing changed: a colleague was quicker."), level=messages.WARNING)
        return self.go(self.link("console-sent-series-item", series))


def _rows(view: EditView) -> QuerySet[Series]:
    return Series.objects.filter(church=view.church).select_related("church", "author")
