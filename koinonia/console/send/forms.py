"""The form of a text, and the form of a template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from delivery.accept import MAX_MEDIA
from koinonia.console.send import recipients
from koinonia.console.send.moments import moment
from koinonia.console.send.recipients import Chosen
from koinonia.media.kinds import ENDINGS
from koinonia.models import Church

_LONGEST_FIND = 100
API_NAMES = {
    "audience": "find", "to": "find", "member": "find", "conversation": "find", "from": "find",
    "send_at": "date", "scheduled_at": "date", "media_urls": "link",
}  # fmt: skip
"""Fields of the API and of ``delivery`` -> fields of this form."""


class ComposeForm(forms.Form):
    """A text, its recipients and its time. The API's serializers judge the values."""

    find = forms.CharField(
        label=_("To"),
        required=False,
        max_length=_LONGEST_FIND,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("A name, a group or a number"),
    )
    without = forms.CharField(
        label=_("But not the members of"),
        required=False,
        max_length=_LONGEST_FIND,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("A group that gets no text, even where its members are in another group"),
    )
    text = forms.CharField(
        label=_("Text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto", "aria-describedby": "size"}),
    )
    file = forms.FileField(
        label=_("Picture or file"),
        required=False,
        help_text=_("At most 1 MB: JPEG, PNG, GIF, PDF, MP3, MP4 or a contact"),
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
    )
    link = forms.CharField(
        label=_("Or the link of a picture"),
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    date = forms.DateField(
        label=_("Day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def __init__(self, church: Church, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.church = church

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        day, clock = values.get("date"), values.get("time")
        if day and not clock and "time" not in self.errors:
            self.add_error("time", _("Choose the time of the day, too."))
        if clock and not day and "date" not in self.errors:
            self.add_error("date", _("Choose the day, too."))
        values["send_at"] = None
        if day and clock:
            try:
                values["send_at"] = moment(day, clock, self.church.timezone)
            except ValidationError as error:
                self.add_error("time", error)
        return values

    @property
    def send_at(self) -> datetime | None:
        """Return the chosen moment. Call it after ``is_valid``."""
        found: datetime | None = self.cleaned_data.get("send_at")
        return found

    @cached_property
    def chosen(self) -> Chosen:
        """Return the recipients. One that is gone is dropped, and the page says so."""
        named = self.data.getlist("who") if self.is_bound else []  # type: ignore[attr-defined] # a QueryDict
        return recipients.read(self.church, named)

    @property
    def attached(self) -> list[str]:
        """Return the URLs that were attached before this request."""
        named: list[str] = self.data.getlist("attached") if self.is_bound else []  # type: ignore[attr-defined] # a QueryDict
        return [url for url in dict.fromkeys(named) if url][:MAX_MEDIA]

    def body(self, media_urls: list[str]) -> dict[str, Any]:
        """Return the values as a body of the API."""
        send_at = self.send_at
        body: dict[str, Any] = {
            "text": self.cleaned_data.get("text", ""),
            "media_urls": media_urls,
            "send_at": send_at.isoformat() if send_at else None,
        }
        if self.chosen.is_single:
            return body | self.chosen.addressee()
        return body | {"audience": self.chosen.audience()}


class TemplateForm(forms.Form):
    """A template. The API's serializer judges the values."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        help_text=_("For your colleagues: members never see it"),
    )
    text = forms.CharField(
        label=_("Text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=_("{first_name}, {last_name} and {church} are filled in for each member"),
    )
