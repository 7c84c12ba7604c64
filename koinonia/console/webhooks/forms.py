from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from koinonia.webhooks.addresses import LONGEST
from koinonia.webhooks.event_types import EVENT_TYPES


class WebhookForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Such as: website, or membership program.")
    )
    url = forms.CharField(
        label=_("Address of the receiver"),
        max_length=LONGEST,
        widget=forms.URLInput({"autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("It begins with https:// and is public on the internet."),
    )
    types = forms.MultipleChoiceField(
        label=_("Events"), choices=list(EVENT_TYPES.items()), widget=forms.CheckboxSelectMultiple
    )

    def values(self) -> dict[str, Any]:
        """Return the values for the serializer."""
        return dict(self.cleaned_data)


class AgainForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=_("Send all events again"),
        coerce=int,
        choices=[
            (1, _("of the last hour")),
            (6, _("of the last 6 hours")),
            (24, _("of the last 24 hours")),
            (72, _("of the last 3 days")),
            (168, _("of the last 7 days")),
        ],
        initial=24,
    )
