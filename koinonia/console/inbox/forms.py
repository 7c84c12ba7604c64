from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ReplyForm(forms.Form):
    """The reply. The API's serializer judges it."""

    text = forms.CharField(
        label=_("Reply"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "id": "reply-text", "dir": "auto"}),
    )


class NoteForm(forms.Form):
    """A note. The API's serializer judges it."""

    text = forms.CharField(
        label=_("New note"),
        required=False,
        help_text=_("Only your colleagues read it."),
        widget=forms.Textarea(attrs={"rows": 2, "id": "note-text", "dir": "auto"}),
    )
