from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from koinonia.answers import sentences
from koinonia.answers.office_hours import DAYS
from koinonia.models import Church, KeyScope, Language, Role
from koinonia.models.keyword import MAX_ANSWER

_ALL_CHURCHES = "*"
COMMON_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico", "America/Toronto", "America/Mexico_City",
    "America/Bogota", "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Madrid", "Africa/Lagos",
    "Africa/Nairobi", "Asia/Manila", "Asia/Seoul", "Australia/Sydney",
)  # fmt: skip


class SettingsForm(forms.Form):
    name = forms.CharField(label=_("Name of the church"), max_length=100)
    timezone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput({"list": "zones", "autocomplete": "off"}),
        help_text=_("Such as America/Chicago. All times of these pages are times of this zone."),
    )
    language = forms.ChoiceField(
        label=_("Language of automatic answers"), choices=Language.choices, widget=forms.RadioSelect
    )
    signature = forms.CharField(
        label=_("Signature"),
        max_length=80,
        required=False,
        help_text=_("Send offers it below each text, such as your church's name."),
    )
    opt_out_words = forms.CharField(
        label=_("Your own words for STOP"),
        max_length=300,
        required=False,
        help_text=_("Separated by commas, such as ALTO, BAJA. STOP and its like always count."),
    )
    quiet_from = forms.TimeField(
        label=_("Quiet hours from"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("No text arrives in them: it waits. Answers to a person go at once."),
    )
    quiet_until = forms.TimeField(
        label=_("Quiet hours until"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("In the zone of each number. Both empty: no quiet hours."),
    )
    plain_punctuation = forms.BooleanField(
        label=_("Write plain apostrophes and quotes, which cost fewer parts"), required=False
    )
    part_price = forms.DecimalField(
        label=_("Price of one part of a text"),
        required=False,
        max_digits=7,
        decimal_places=4,
        widget=forms.NumberInput({"step": "0.0001", "min": "0", "inputmode": "decimal"}),
        help_text=_("Send shows the cost of a text with it. Empty: the price of the operator."),
    )
    daily_cap = forms.IntegerField(
        label=_("Most parts in 24 hours"),
        required=False,
        widget=forms.NumberInput({"min": "1", "inputmode": "numeric"}),
        help_text=_(
            "A part is 160 plain letters, or 70 with others such as emoji. Texts beyond the cap wait."
            " Empty: the cap of the operator alone."
        ),
    )

    def values(self) -> dict[str, Any]:
        """Return the values for the serializer."""
        return dict(self.cleaned_data)


class AnswersForm(forms.Form):
    answers_first_contact = forms.BooleanField(
        label=_("Answer the first text of a number"), required=False
    )
    first_contact_answer = forms.CharField(label=_("Answer to a first text"), required=False)
    answers_when_closed = forms.BooleanField(
        label=_("Answer texts outside the office hours"), required=False
    )
    closed_answer = forms.CharField(label=_("Answer outside the office hours"), required=False)

    def __init__(self, church: Church, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, standard in (
            ("first_contact_answer", sentences.standard_first_contact(church)),
            ("closed_answer", sentences.standard_closed(church)),
        ):
            self.fields[name].widget = forms.Textarea(
                {"rows": 3, "maxlength": MAX_ANSWER, "dir": "auto"}
            )
            self.fields[name].help_text = _("Empty: “%(standard)s”") % {
                "standard": sentences.filled_in(standard, None, church)
            }
        for day in DAYS:
            for end in ("from", "until"):
                self.fields[f"{day}_{end}"] = forms.CharField(
                    required=False, max_length=5, widget=forms.TimeInput({"type": "time"})
                )

    @property
    def days(self) -> list[tuple[Any, Any, Any]]:
        """Return the name of each day, and its two fields."""
        return [
            (WEEKDAYS[number], self[f"{day}_from"], self[f"{day}_until"])
            for number, day in enumerate(DAYS)
        ]

    def values(self) -> dict[str, Any]:
        """Return the values for the serializer."""
        given = self.cleaned_data
        hours = {}
        for day in DAYS:
            span = [given[f"{day}_from"][:5], given[f"{day}_until"][:5]]
            if any(span):
                hours[day] = span
        kept = {name: given[name] for name in _KEPT}
        return {**kept, "office_hours": hours or None}


_KEPT = ("answers_first_contact", "first_contact_answer", "answers_when_closed", "closed_answer")


def answers_of(church: Church) -> dict[str, Any]:
    """Return the initial values of :class:`AnswersForm`."""
    found: dict[str, Any] = {name: getattr(church, name) for name in _KEPT}
    for day, (begin, end) in (church.office_hours or {}).items():
        found[f"{day}_from"], found[f"{day}_until"] = begin, end
    return found


def with_hours_of_monday(given: QueryDict) -> QueryDict:
    """Return the data of a form, with Monday's hours also on the days until Friday."""
    copied = given.copy()
    for day in DAYS[1:5]:
        for end in ("from", "until"):
            copied[f"{day}_{end}"] = given.get(f"{DAYS[0]}_{end}", "")
    return copied


class InvitationForm(forms.Form):
    whom = forms.CharField(
        label=_("E-mail address, or user name"),
        max_length=254,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
        help_text=_("An e-mail brings a link. A user finds the invitation after signing in."),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (Role.VIEWER, _("Viewer: reads everything")),
            (Role.SENDER, _("Sender: also texts, and edits members and groups")),
            (Role.OWNER, _("Owner: also changes settings and staff")),
        ],
        initial=Role.SENDER,
        widget=forms.RadioSelect,
    )

    def values(self) -> dict[str, Any]:
        """Return the values for the serializer: an address has an @, a user name seldom."""
        whom = self.cleaned_data["whom"]
        field = "email" if "@" in whom else "username"
        return {field: whom, "role": self.cleaned_data["role"]}


class KeyForm(forms.Form):
    """A new API key. ``scopes`` has no initial value: the person decides what the program may do."""

    name = forms.CharField(
        label=_("Name of the program"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("Such as: website form."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[
            (KeyScope.READ, _("Read: texts, conversations, broadcasts and events")),
            (KeyScope.SEND, _("Send: texts, broadcasts, answers")),
            (KeyScope.PEOPLE, _("People: read and change members, groups and notes")),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
        help_text=_(
            "Never more than you may do yourself. Staff, settings and passwords stay closed."
        ),
    )
    church = forms.ChoiceField(label=_("Where it may do this"))
    days = forms.TypedChoiceField(
        label=_("Ends after"),
        help_text=_("Then the program is refused. Make a new key before."),
        coerce=int,
        initial=90,
        choices=[
            (7, _("7 days")),
            (30, _("30 days")),
            (90, _("90 days")),
            (180, _("180 days")),
            (365, _("a year")),
        ],
    )

    def __init__(self, data: Any = None, *, church: Church, churches: Iterable[Church]) -> None:
        """Offer the churches of the person; ``church``, the one of the page, is the first choice."""
        super().__init__(data)
        places = cast("forms.ChoiceField", self.fields["church"])
        only = [(one.slug, _("Only in %(church)s") % {"church": one.name}) for one in churches]
        places.choices = [
            *only,
            (_ALL_CHURCHES, _("In all churches that I work for, later ones too")),
        ]
        places.initial = church.slug

    def values(self, now: datetime) -> dict[str, Any]:
        """Return the values for the serializer."""
        given = self.cleaned_data
        ends = now + timedelta(days=given["days"])
        return {
            "name": given["name"],
            "scopes": given["scopes"],
            "church": None if given["church"] == _ALL_CHURCHES else given["church"],
            "expires_at": ends.isoformat(timespec="seconds"),
        }
