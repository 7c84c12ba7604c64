"""The audit log of the church, as a page for its owners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms
from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from koinonia import audit
from koinonia.console.frame import ConsoleView
from koinonia.console.paging import paged
from koinonia.console.today.log_words import in_words
from koinonia.console.words import shortened
from koinonia.models import AuditEntry, Role, Staff

NAMED = ("member", "group", "broadcast", "webhookendpoint")
"""The kinds of subjects that are shown by their present name."""
_SHOWN = 60
"""Letters of a broadcast."""


class LogForm(forms.Form):
    """The filter of the log."""

    username = forms.ChoiceField(label=_("Colleague"), required=False)
    action = forms.ChoiceField(
        label=_("Act"), required=False, choices=[("", _("All")), *audit.ACTIONS.items()]
    )

    def __init__(self, *args: Any, names: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All")), *((name, name) for name in names)]
        self.fields["username"].choices = choices  # type: ignore[attr-defined] # a choice field


class LogView(ConsoleView):
    """The acts of the staff, newest first."""

    section = "more"
    read_role = Role.OWNER

    def get(self, request: HttpRequest) -> HttpResponse:
        staff = Staff.objects.filter(church=self.church).order_by("user__username")
        names = list(staff.values_list("user__username", flat=True)[:200])
        form = LogForm(request.GET, names=names)
        chosen = form.cleaned_data if form.is_valid() else {}
        page = paged(request, audit.of_church(self.church, **chosen), keep=("username", "action"))
        shown = {"page": page, "form": form, "acts": _acts(page.rows)}
        return self.page("koinonia/console/today/log.html", shown)


def _acts(entries: list[AuditEntry]) -> list[dict[str, Any]]:
    """Return the acts in words, with the present names of their subjects: one query per kind."""
    keys = defaultdict(set)
    for entry in entries:
        if entry.subject_kind in NAMED and entry.subject_key is not None:
            keys[entry.subject_kind].add(entry.subject_key)
    names: dict[tuple[str, int], str] = {}
    for kind, wanted in keys.items():
        rows = apps.get_model("koinonia", kind)._default_manager.in_bulk(wanted)
        names |= {(kind, key): _name_of(kind, row) for key, row in rows.items()}
    return [
        {
            "at": entry.at,
            "who": entry.username,
            "what": audit.ACTIONS.get(entry.action, entry.action),
            "subject": entry.subject_label
            or names.get((entry.subject_kind, entry.subject_key or 0), ""),
            "detail": in_words(entry.detail),
        }
        for entry in entries
    ]


def _name_of(kind: str, row: Any) -> str:
    return shortened(row.text, _SHOWN) if kind == "broadcast" else str(row)
