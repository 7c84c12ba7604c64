"""Edit or move a planned text or broadcast."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.serializers import Serializer

from delivery.accept import UnacceptableError
from delivery.changes import message_changes
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia import audit
from koinonia.api.serializers.changes import ChangedBroadcastSerializer, ChangedMessageSerializer
from koinonia.broadcasts.change import change_broadcast
from koinonia.console.forms import add_errors
from koinonia.console.send.moments import in_words
from koinonia.console.sent.base import SentView
from koinonia.console.sent.forms import (
    PlannedBroadcastForm,
    PlannedForm,
    audience_fields,
    planned_at,
)
from koinonia.models import Broadcast, Role
from koinonia.phone import as_written
from koinonia.texts.change import change_text, template_of

NAMES = {"send_at": "day", "scheduled_at": "day", "audience": "everyone", "repeat": "every"}
"""Fields of the API -> fields of the forms."""
STALE = "stale"


class EditView(SentView):
    """The base of pages with a form for a serializer of the API."""

    read_role = Role.SENDER
    serializer: type[Serializer[Any]]

    def judged(self, form: Any) -> dict[str, Any] | None:
        """Return the checked changes; None if the form has errors."""
        if not form.is_valid():
            return None
        body = self.serializer(data=form.body(), context={"church": self.church}, partial=True)
        if body.is_valid():
            return dict(body.validated_data)
        add_errors(form, body.errors, NAMES)
        return None

    def asked_again(self, form: forms.Form, context: dict[str, Any]) -> HttpResponse:
        return self.page(
            "koinonia/console/sent/edit.html",
            {"form": form, **context},
            422 if form.errors else 200,
        )


def stale(form: forms.Form, now_says: str, edits: int, at: datetime | None, zone: str) -> None:
    """Say that a colleague was quicker, and show the present words and time beside the typed ones.

    The form then knows the version of the colleague: to save once more replaces it.
    """
    sentences = [
        _("A colleague has changed this meanwhile. It now says: “%(text)s”") % {"text": now_says}
    ]
    if at is not None:
        sentences.append(
            _("It goes out on %(when)s.") % {"when": in_words(at, zone, now=timezone.now())}
        )
    sentences.append(_("Your words are below. Save once more to put them in its place."))
    form.add_error(None, " ".join(sentences))
    data = cast(QueryDict, form.data).copy()
    data["edits"] = str(edits)
    form.data = data


class EditTextView(EditView):
    """Other words or another time for one text."""

    serializer = ChangedMessageSerializer

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self._text(key)
        if text.status != Status.SCHEDULED or text.batch:
            return self._too_late(text)
        return self.asked_again(self._form(text), self._about(text))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        text = self._text(key)
        form = self._form(text, request.POST)
        given = self.judged(form)
        if given is not None:
            try:
                with message_changes(timezone.now()):
                    changed = change_text(
                        self.church, text, **given, edits=form.cleaned_data["edits"],
                        now=timezone.now(),
                    )  # fmt: skip
                    if changed:
                        kind = "message.moved" if "send_at" in given else "message.edited"
                        audit.record(self.church, self.user, kind, text, {"fields": sorted(given)})
            except UnacceptableError as error:
                add_errors(form, error, NAMES)
            else:
                if changed:
                    self.notice(_("Saved."))
                    return self.go(self.link("console-sent-text", text))
                text = self._text(key)
                if text.status != Status.SCHEDULED:
                    return self._too_late(text)
                zone = self.church.timezone
                stale(form, template_of(text), text.edits, text.scheduled_at, zone)
        return self.asked_again(form, self._about(text))

    def _text(self, key: str) -> Message:
        rows = Message.objects.filter(tenant=self.church, direction=Direction.OUTBOUND)
        return self.item(rows.select_related("recipient"), key)

    def _form(self, text: Message, given: Any = None) -> PlannedForm:
        fields = {
            "text": template_of(text), "edits": text.edits, **planned_at(text.scheduled_at),
        }  # fmt: skip
        return PlannedForm(self.church, given, initial=fields)

    def _about(self, text: Message) -> dict[str, Any]:
        name = (text.recipient.name if text.recipient else "") or as_written(
            text.to_number, self.church.country
        )
        return {
            "title": _("Change the text to %(name)s") % {"name": name},
            "back": self.link("console-sent-text", text),
        }

    def _too_late(self, text: Message) -> HttpResponse:
        self.notice(_("It is too late: this text is no longer planned."), level=30)
        return self.go(self.link("console-sent-text", text))


class EditBroadcastView(EditView):
    """Other words, another time or other people for a broadcast."""

    serializer = ChangedBroadcastSerializer

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        broadcast = self._broadcast(key)
        if broadcast.due_at is None:
            return self._too_late(broadcast)
        return self.asked_again(self._form(broadcast), self._about(broadcast))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        broadcast = self._broadcast(key)
        form = self._form(broadcast, request.POST)
        given = self.judged(form)
        if given is not None:
            try:
                with transaction.atomic():
                    changed = change_broadcast(
                        broadcast, **given, edits=form.cleaned_data["edits"], now=timezone.now()
                    )
                    if changed:
                        kind = "broadcast.moved" if "send_at" in given else "broadcast.edited"
                        detail = {"fields": sorted(given)}
                        audit.record(self.church, self.user, kind, broadcast, detail)
            except UnacceptableError as error:
                add_errors(form, error, NAMES)
            else:
                if changed:
                    self.notice(_("Saved."))
                    return self.go(self.link("console-sent-broadcast", broadcast))
                broadcast = self._broadcast(key)
                if broadcast.due_at is None:
                    return self._too_late(broadcast)
                zone = self.church.timezone
                stale(form, broadcast.text, broadcast.edits, broadcast.due_at, zone)
        return self.asked_again(form, self._about(broadcast))

    def _broadcast(self, key: str) -> Broadcast:
        return self.item(Broadcast.objects.filter(church=self.church).select_related("church"), key)

    def _form(self, broadcast: Broadcast, given: Any = None) -> PlannedBroadcastForm:
        fields = {
            "text": broadcast.text, "edits": broadcast.edits, **planned_at(broadcast.due_at),
            **audience_fields(broadcast),
        }  # fmt: skip
        return PlannedBroadcastForm(self.church, broadcast, given, initial=fields)

    def _about(self, broadcast: Broadcast) -> dict[str, Any]:
        return {
            "title": _("Change this broadcast"),
            "back": self.link("console-sent-broadcast", broadcast),
        }

    def _too_late(self, broadcast: Broadcast) -> HttpResponse:
        self.notice(_("It is too late: this broadcast is no longer planned."), level=30)
        return self.go(self.link("console-sent-broadcast", broadcast))
