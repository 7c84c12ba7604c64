from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from koinonia import ids
from koinonia.models import Church, Group
from koinonia.models.keyword import MAX_ANSWER, MAX_WORD

MOST_CHOICES = 500
"""Groups that a form offers."""


class GroupForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput({"dir": "auto"}))
    welcome_text = forms.CharField(
        label=_("Welcome text"),
        max_length=MAX_ANSWER,
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 3, "dir": "auto"}),
        help_text=_(
            "Answers a person who joins by a keyword. Empty: a standard sentence."
            " {first_name} and {church} are filled in."
        ),
    )


class KeywordForm(forms.Form):
    word = forms.CharField(
        label=_("Word"),
        max_length=MAX_WORD,
        widget=forms.TextInput({"autocapitalize": "characters", "autocomplete": "off"}),
        help_text=_("People text this word to your number, such as CHOIR. Case does not matter."),
    )
    group = forms.ChoiceField(label=_("Group"), help_text=_("Whoever texts the word joins it."))
    answer = forms.CharField(
        label=_("Answer"),
        max_length=MAX_ANSWER,
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 3, "dir": "auto"}),
        help_text=_(
            "Empty: the welcome text of the group. Say how to leave it: the word and STOP, such as CHOIR STOP."
        ),
    )

    def __init__(self, church: Church, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        groups = Group.objects.filter(church=church).order_by("name", "pk")[:MOST_CHOICES]
        choices = [(ids.encode(group.pk), group.name) for group in groups]
        self.fields["group"].choices = [("", _("Choose a group")), *choices]  # type: ignore[attr-defined] # a ChoiceField
