"""The form of a member. `MemberSerializer` judges the values."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from koinonia import ids
from koinonia.models import Church, Group, Member
from koinonia.models.note import MAX_NOTE_LENGTH
from koinonia.phone import as_written, is_number

FIELDS = ("first_name", "last_name", "phone", "groups", "opted_out")
_LONGEST = 400
"""Longer input is cut by the browser; the serializer names its limit."""


class MemberForm(forms.Form):
    first_name = forms.CharField(
        label=_("First name"),
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "maxlength": _LONGEST, "required": True, "dir": "auto"}
        ),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": _LONGEST, "dir": "auto"}),
    )
    phone = forms.CharField(
        label=_("Mobile number"),
        required=False,
        help_text=_("As people of your country write it, or with + and the country code."),
        widget=forms.TextInput(
            attrs={"type": "tel", "autocomplete": "off", "maxlength": 40, "required": True}
        ),
    )
    groups = forms.MultipleChoiceField(
        label=_("Groups"), required=False, widget=forms.CheckboxSelectMultiple
    )
    opted_out = forms.BooleanField(
        label=_("Has asked for no texts"),
        required=False,
        help_text=_("Only a START text from this number takes it back."),
    )

    def __init__(
        self, church: Church, *args: Any, keeps_initial: bool = False, **kwargs: Any
    ) -> None:
        """``keeps_initial``: let the page hold the first values, so that ``changed_data`` names what a person changed."""
        super().__init__(*args, **kwargs)
        names = Group.objects.filter(church=church).order_by("name").values_list("pk", "name")
        self.names = [(ids.encode(pk), name) for pk, name in names]
        # Any value is a choice: the serializer names groups that are gone.
        given = set(cast(QueryDict, self.data).getlist("groups")) if self.is_bound else set()
        known = {key for key, _name in self.names}
        choices = [*self.names, *((key, key) for key in sorted(given - known))]
        self.fields["groups"].choices = choices  # type: ignore[attr-defined] # a choice field
        if not choices:
            del self.fields["groups"]
        for field in self.fields.values():
            field.show_hidden_initial = keeps_initial

    def values(self) -> dict[str, Any]:
        """Return the typed values in the form of the API. The form must have been cleaned."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}


def values_of(member: Member, church: Church, *, opted_out: bool) -> dict[str, Any]:
    """Return the values of a member of ``church`` as people write them; the API takes them so, too."""
    return {
        "first_name": member.first_name,
        "last_name": "" if is_number(member.last_name) else member.last_name,
        "phone": as_written(member.phone, church.country),
        "groups": sorted(ids.encode(group.pk) for group in member.groups.all()),
        "opted_out": opted_out,
    }


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("A note for your colleagues"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "maxlength": MAX_NOTE_LENGTH, "required": True, "dir": "auto"}
        ),
        help_text=_("The person never sees it."),
    )
