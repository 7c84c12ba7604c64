"""The form of a text, and the form of a template."""

from __future__ import annotations

from datetime import date, datetime
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

_REPEATS: dict[str, dict[str, Any]] = {
    "week": {"every": "week"},
    "2 weeks": {"every": "week", "interval": 2},
    "month": {"every": "month"},
    "weekday": {"every": "month", "on": "weekday"},
}
"""The choices of the form -> rules of the API."""


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

    repeat = forms.ChoiceField(
        label=_("Repeat"),
        required=False,
        choices=[
            ("", _("No")),
            ("week", _("Every week")),
            ("2 weeks", _("Every second week")),
            ("month", _("Every month, on the same day")),
            ("weekday", _("Every month, on the same weekday, such as the 2nd Sunday")),
        ],
    )
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until somebody ends it"),
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
        if values.get("repeat") and not day:
            self.add_error("date", _("Choose the first day of a text that repeats."))
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

    @property
    def repeats(self) -> bool:
        """Return whether the text goes out again and again. Call it after ``is_valid``."""
        return bool(self.cleaned_data.get("repeat"))

    @property
    def is_single(self) -> bool:
        """Return whether it is a text to one person, and no broadcast."""
        return self.chosen.is_single and not self.repeats

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
            "send_at": send_at.isoformat() if send_at else None,
        }
        if self.repeats:
            until: date | None = self.cleaned_data.get("until")
            repeat = {**_REPEATS[self.cleaned_data["repeat"]], "until": until and until.isoformat()}
            return body | {"audience": self.chosen.audience(), "repeat": repeat}
        body["media_urls"] = media_urls
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
