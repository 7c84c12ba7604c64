"""Forms for planned texts and broadcasts. The API's serializers judge them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from koinonia import ids
from koinonia.broadcasts.audience import Audience
from koinonia.models import Broadcast, Church, Group, Series
from koinonia.series.repeat import Repeat, moment
from koinonia.zones import zone_named

MOST_GROUPS = 100
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PlannedForm(forms.Form):
    """Has the words, the day and the time."""

    text = forms.CharField(
        label=_("Text"), widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}), strip=False
    )
    day = forms.DateField(label=_("Day"), widget=_DAY)
    clock = forms.TimeField(label=_("Time"), widget=_CLOCK)
    edits = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, church: Church, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.church = church
        self.fields["clock"].help_text = _("On the clocks of %(zone)s.") % {
            "zone": church.timezone.replace("_", " ")
        }

    def send_at(self) -> str:
        """Return the time as the API takes it."""
        day, clock = self.cleaned_data["day"], self.cleaned_data["clock"]
        return moment(day, clock, zone_named(self.church.timezone)).isoformat()

    def body(self) -> dict[str, Any]:
        """Return the body of a PATCH. The time is named only if the form changed it."""
        given: dict[str, Any] = {"text": self.cleaned_data["text"]}
        if "day" in self.changed_data or "clock" in self.changed_data:
            given["send_at"] = self.send_at()
        return given


def planned_at(at: datetime | None) -> dict[str, Any]:
    """Return the fields of a time, on the clocks of the church."""
    here = localtime(at or datetime.now(UTC))
    return {"day": here.date(), "clock": here.time().replace(second=0, microsecond=0)}


class PlannedBroadcastForm(PlannedForm):
    """Adds the audience: everyone, or groups and single people."""

    everyone = forms.ChoiceField(
        label=_("Who gets it"),
        choices=[("all", _("Everyone")), ("groups", _("These groups and people"))],
        widget=forms.RadioSelect,
    )
    groups = forms.MultipleChoiceField(
        label=_("Groups"), required=False, widget=forms.CheckboxSelectMultiple
    )
    people = forms.BooleanField(label=_("The people who were chosen one by one"), required=False)

    def __init__(self, church: Church, of: Broadcast | Series, *args: Any, **options: Any) -> None:
        super().__init__(church, *args, **options)
        self.audience = Audience.from_json(of.audience)
        named = Group.objects.filter(church=church).order_by("name", "pk")
        groups = list(named.values_list("pk", "name")[:MOST_GROUPS])
        self.fields["groups"].choices = [(ids.encode(pk), name) for pk, name in groups]  # type: ignore[attr-defined] # of a ChoiceField
        if not self.audience.member_ids:
            del self.fields["people"]

    def body(self) -> dict[str, Any]:
        given = super().body()
        if {"everyone", "groups", "people"} & set(self.changed_data):
            given["audience"] = self._audience()
        return given

    def _audience(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {"all": True}
        if self.cleaned_data["everyone"] != "all":
            chosen = {"groups": self.cleaned_data["groups"]}
            if self.cleaned_data.get("people"):
                chosen["members"] = [ids.encode(key) for key in self.audience.member_ids]
        if self.audience.excluded_ids:
            chosen["exclude_groups"] = [ids.encode(key) for key in self.audience.excluded_ids]
        return chosen


def audience_fields(of: Broadcast | Series) -> dict[str, Any]:
    """Return the fields of an audience."""
    audience = Audience.from_json(of.audience)
    return {
        "everyone": "all" if audience.everyone else "groups",
        "groups": [ids.encode(key) for key in audience.group_ids],
        "people": bool(audience.member_ids),
    }


class SeriesForm(PlannedBroadcastForm):
    """Adds the rule of a repeating broadcast."""

    every = forms.ChoiceField(
        label=_("Repeat"),
        choices=[("week", _("Weekly")), ("month", _("Monthly"))],
        widget=forms.RadioSelect,
    )
    interval = forms.IntegerField(label=_("Every … weeks or months"), min_value=1, max_value=52)
    on = forms.ChoiceField(
        label=_("Monthly on"),
        choices=[("day", _("the same day of the month")), ("weekday", _("the same weekday"))],
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label=_("Last day"), required=False, widget=_DAY, help_text=_("Empty: without an end.")
    )
    count = forms.IntegerField(
        label=_("How many times"),
        required=False,
        min_value=1,
        help_text=_("Empty: without an end."),
    )

    def body(self) -> dict[str, Any]:
        given = super().body()
        names = ("every", "interval", "on", "until", "count")
        if set(names) & set(self.changed_data):
            rule = {name: self.cleaned_data[name] for name in names}
            rule["until"] = rule["until"].isoformat() if rule["until"] else None
            given["repeat"] = rule
        return given


def rule_fields(series: Series) -> dict[str, Any]:
    """Return the fields of a rule."""
    repeat = Repeat.of(series)
    return {
        "every": repeat.every,
        "interval": repeat.interval,
        "on": repeat.on,
        "until": repeat.until,
        "count": repeat.count,
    }
