"""The page that sends a text, and the parts of it that change while a person types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import Serializer

from delivery.accept import UnacceptableError
from delivery.content.encoding import size_rules
from delivery.content.plain_punctuation import plain
from koinonia.api.serializers.broadcasts import NewBroadcastSerializer
from koinonia.api.serializers.messages import NewMessageSerializer
from koinonia.api.serializers.series import NewSeriesSerializer
from koinonia.broadcasts.audience import Audience
from koinonia.console.forms import add_errors
from koinonia.console.frame import ConsoleView
from koinonia.console.send import acts, finding, forecast, moments, prefill, recipients
from koinonia.console.send.forecast import Forecast
from koinonia.console.send.forms import API_NAMES, ComposeForm
from koinonia.console.send.once import Sent
from koinonia.media.storage import store, url_of
from koinonia.models import Role, TextTemplate
from koinonia.numbers import grouped
from koinonia.texts.placeholders import NAMES

ASKS_ABOVE = 50
"""A text to more people is sent after a question."""
_DRAFT = "compose"
_FOLDER = "koinonia/console/send"


class _Compose(ConsoleView):
    section = "send"
    read_role = Role.SENDER

    def judged(self, form: ComposeForm, media_urls: list[str]) -> dict[str, Any]:
        """Return the values as the API reads them. Raise DRF's ValidationError."""
        serializer = _serializer_of(form)(
            data=form.body(media_urls), context={"church": self.church, "request": self.request}
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def forecast(self, form: ComposeForm, given: dict[str, Any], now: datetime) -> Forecast:
        """Return the forecast. Raise ``UnacceptableError``."""
        text, media, send_at = given["text"], given.get("media_urls", []), given["send_at"]
        if form.is_single:
            number = given["member"].phone if "member" in given else given["to"]
            if form.chosen.member is None:
                return forecast.of_number(self.church, text, number, media, send_at, now)
            only = Audience(everyone=False, member_ids=[form.chosen.member.pk], as_sent={})
            return forecast.of_broadcast(self.church, text, only, media, send_at, now)
        return forecast.of_broadcast(self.church, text, given["audience"], media, send_at, now)


def _serializer_of(form: ComposeForm) -> type[Serializer[Any]]:
    if form.repeats:
        return NewSeriesSerializer
    return NewMessageSerializer if form.is_single else NewBroadcastSerializer


class ComposeView(_Compose):
    """Write a text. Without JavaScript every button sends the form."""

    def get(self, request: Any) -> HttpResponse:
        data = prefill.data(self.church, request.GET)
        form = ComposeForm(self.church, data) if data else ComposeForm(self.church)
        return self._show(form, filled_in=bool(data and data.get("text")))

    def post(self, request: Any) -> HttpResponse:
        action, _colon, value = request.POST.get("action", "send").partition(":")
        form = ComposeForm(self.church, request.POST, request.FILES)
        if action in {"find", "without"}:
            return self._show(form, finds=action)
        if action in _EDITS:
            return self._show(self._edited(action, value))
        return self._send(form, confirmed=action in {"confirmed", "again"}, asks=action == "check")

    def _edited(self, action: str, value: str) -> ComposeForm:
        """Return the form after a button that changes it."""
        data: QueryDict = self.request.POST.copy()
        if action == "add":
            data.setlist("who", [*data.getlist("who"), value])
            data["without" if value.startswith("-") else "find"] = ""
        elif action == "drop":
            data.setlist("who", [mark for mark in data.getlist("who") if mark != value])
        elif action == "detach":
            data.setlist("attached", [url for url in data.getlist("attached") if url != value])
        elif action == "insert":
            data["text"] = prefill.with_template(self.church, data)
        elif action == "plain":
            data["text"] = plain(data.get("text", ""))
        form = ComposeForm(self.church, data, self.request.FILES)
        self._attach(form)
        return form

    def _attach(self, form: ComposeForm) -> list[str]:
        """Store an uploaded file; return the URLs of everything that is attached."""
        urls = form.attached
        form.is_valid()
        upload = form.cleaned_data.get("file")
        if upload:
            try:
                stored = store(
                    self.church, upload, upload.name or "", author=self.user, now=timezone.now()
                )
                urls.append(url_of(stored))
            except UnacceptableError as error:
                add_errors(form, error, API_NAMES)
        if link := form.cleaned_data.get("link", "").strip():
            urls.append(link)
        urls = list(dict.fromkeys(urls))
        data = cast(QueryDict, form.data).copy()
        data.setlist("attached", urls)
        data["link"] = ""
        form.data = data
        return urls

    def _send(self, form: ComposeForm, *, confirmed: bool, asks: bool) -> HttpResponse:
        now = timezone.now()
        urls = self._attach(form)
        if problem := form.chosen.problem:
            form.add_error("find", problem)
        self._refuse_unchosen(form)
        if not form.chosen and not form.chosen.gone and "find" not in form.errors:
            form.add_error("find", _("Choose who gets the text: a person, a group or a number."))
        if not form.cleaned_data.get("text", "").strip() and not urls:
            form.add_error("text", _("Write a text first."))
        if form.repeats and urls:
            form.add_error(
                "file", _("A text that repeats has no attachment. Put a link into its words.")
            )
        if form.repeats and form.chosen.numbers:
            form.add_error("find", _("A text that repeats goes to members or groups."))
        if form.errors or form.chosen.gone:
            return self._refuse(form)
        try:
            given = self.judged(form, urls)
            foreseen = self.forecast(form, given, now)
            people = foreseen.preview.people
            if asks or (people > ASKS_ABOVE and not self._has_confirmed(confirmed, people)):
                return self._ask(form, foreseen, now)
            sent = acts.send(self, form.body(urls), given, now)
        except UnacceptableError as error:
            add_errors(form, error, API_NAMES)
            return self._refuse(form)
        except ValidationError as error:
            add_errors(form, error, API_NAMES)
            return self._refuse(form)
        except acts.Refused as error:
            form.add_error(None, str(error))
            return self._refuse(form)
        if sent.again and sent.form != self.request.POST.get("form"):
            return self._ask(form, foreseen, now, earlier=sent)
        return self._done(sent, foreseen, given, now)

    def _refuse_unchosen(self, form: ComposeForm) -> None:
        """Refuse words that name nobody yet: the text would go to others than the person wanted."""
        sentence = _("“%(words)s” is not chosen yet. Choose it from the list, or empty the field.")
        for name in ("find", "without"):
            words = form.cleaned_data.get(name, "").strip()
            if words:
                form.add_error(name, sentence % {"words": words})

    def _has_confirmed(self, confirmed: bool, people: int) -> bool:
        """Return whether the question named at least as many people as there are now."""
        asked = self.request.POST.get("people", "")
        return confirmed and asked.isdecimal() and people <= int(asked)

    def _ask(
        self, form: ComposeForm, foreseen: Forecast, now: datetime, earlier: Sent | None = None
    ) -> HttpResponse:
        zone = self.church.timezone
        context = {
            "form": form,
            "forecast": foreseen,
            "chosen": form.chosen,
            "fields": _hidden(form),
            "earlier": earlier,
            "when": foreseen.later and moments.in_words(foreseen.begins_at, zone, now=now),
        }
        return self.page(f"{_FOLDER}/confirm.html", context)

    def _done(
        self, sent: Sent, foreseen: Forecast, given: dict[str, Any], now: datetime
    ) -> HttpResponse:
        people = foreseen.preview.people
        if sent.again:
            self.notice(_("This text was sent already. It was not sent twice."), accepted=_DRAFT)
        elif given["send_at"]:
            when = moments.in_words(given["send_at"], self.church.timezone, now=now)
            self.notice(_("Scheduled for %(when)s.") % {"when": when}, accepted=_DRAFT)
        else:
            sentence = ngettext(
                "On its way to %(count)s person.", "On its way to %(count)s people.", people
            )
            self.notice(sentence % {"count": grouped(people)}, accepted=_DRAFT)
        return self.go(acts.page_of(self.church, sent))

    def _refuse(self, form: ComposeForm) -> HttpResponse:
        if form.chosen.gone:
            form.add_error("find", _who_is_gone(form))
        return self._show(form, status=422)

    def _show(
        self, form: ComposeForm, *, finds: str = "", filled_in: bool = False, status: int = 200
    ) -> HttpResponse:
        templates = TextTemplate.objects.filter(church=self.church).order_by("name")
        context: dict[str, Any] = {
            "form": form,
            "chosen": form.chosen,
            "attached": form.attached,
            "names": NAMES,
            "templates": templates.only("name", "church_id"),
            "size_rules": size_rules(),
            "words": {name: str(sentence) for name, sentence in _SCRIPT_WORDS.items()},
            "key": self.request.POST.get("form") or get_random_string(24),
            "finds": finds,
            "filled_in": filled_in,
            "linked": bool(self.request.method == "GET" and form.chosen),
            "is_later": bool(form["date"].value() or form["time"].value() or form["date"].errors),
        }
        if finds:
            context["found"] = finding.find(
                self.church,
                form.data.get(finds, ""),
                without=finds == "without",
                taken=form.data.getlist("who"),  # type: ignore[attr-defined] # a QueryDict
            )
        return self.page(f"{_FOLDER}/compose.html", context, status)


_SCRIPT_WORDS = {
    "single": gettext_lazy("1 character, 1 part"),
    "one": gettext_lazy("{units} characters, 1 part"),
    "many": gettext_lazy("{units} characters, {parts} parts"),
    "over": gettext_lazy("{units} characters, {parts} parts: the limit is {limit}"),
    "remove": gettext_lazy("Remove {name}"),
}
"""Sentences for ``console/send.js``."""
_EDITS = {"add", "drop", "detach", "insert", "plain", "edit"}


def _who_is_gone(form: ComposeForm) -> str:
    if not form.chosen:
        return _("The recipient no longer exists: a colleague has deleted it. Choose again.")
    sentence = ngettext(
        "One of the recipients no longer exists, and was removed. Look at the others.",
        "%(count)s of the recipients no longer exist, and were removed. Look at the others.",
        form.chosen.gone,
    )
    return sentence % {"count": grouped(form.chosen.gone)}


def _hidden(form: ComposeForm) -> list[tuple[str, str]]:
    """Return the values of the form as hidden fields of the question."""
    kept = [(name, form.data.get(name, "")) for name in ("text", "date", "time", "repeat", "until")]
    marks = [("who", one.mark) for one in form.chosen.recipients]
    return [*kept, *marks, *(("attached", url) for url in form.attached)]


class RecipientsView(_Compose):
    """The lines of the list below a recipient field, or the chosen recipients of a draft."""

    def get(self, request: Any) -> HttpResponse:
        if marks := request.GET.getlist("mark"):
            chosen = recipients.read(self.church, marks)
            return self.page(f"{_FOLDER}/_chosen.html", {"chosen": chosen})
        without = "without" in request.GET
        words = request.GET.get("without" if without else "find", "")
        taken = request.GET.getlist("who")
        found = finding.find(self.church, words, without=without, taken=taken)
        return self.page(f"{_FOLDER}/_options.html", {"found": found, "without": without})


class PreviewView(_Compose):
    """Preview the form. Nothing is stored."""

    def get(self, request: Any) -> HttpResponse:
        return self._shown(QueryDict())

    def post(self, request: Any) -> HttpResponse:
        return self._shown(request.POST)

    def _shown(self, data: QueryDict) -> HttpResponse:
        now = timezone.now()
        form = ComposeForm(self.church, data)
        context: dict[str, Any] = {"chosen": form.chosen, "problem": form.chosen.problem}
        if form.is_valid() and form.chosen and not context["problem"]:
            written = bool(form.cleaned_data.get("text", "").strip())
            if not written:
                # Count the people of an empty text, too.
                form.cleaned_data["text"] = "-"
            try:
                given = self.judged(form, form.attached)
                foreseen = self.forecast(form, given, now)
                context |= {"forecast": foreseen, "written": written, "when": None}
                if foreseen.later:
                    zone = self.church.timezone
                    context["when"] = moments.in_words(foreseen.begins_at, zone, now=now)
            except UnacceptableError as error:
                context["problem"] = error.message
            except APIException as error:
                context["problem"] = _first_sentence(error.detail)
        return self.page(f"{_FOLDER}/_preview.html", context)


def _first_sentence(detail: Any) -> str:
    """Return one of the sentences of an error of the API."""
    while isinstance(detail, dict | list) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)
