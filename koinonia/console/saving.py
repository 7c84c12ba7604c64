"""Save forms through serializers of the API, unless a colleague has saved the same row first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import F, Model
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from koinonia.console.forms import add_errors


def save(
    form: forms.BaseForm,
    serializer: Any,
    *,
    seen: str = "",
    present: Callable[[], Mapping[str, Any]] | None = None,
) -> Any:
    """Return the saved row, or None with the reasons in the form.

    ``seen`` is the version of the row that the form showed; ``present`` returns the values that the
    row has now, by field of the form.
    """
    if not serializer.is_valid():
        add_errors(form, serializer.errors)
        return None
    item: Model | None = serializer.instance
    try:
        with transaction.atomic():
            if item is None or claim(item, seen):
                return serializer.save()
    except ValidationError as error:
        add_errors(form, error)
        return None
    _say_what_changed(form, present() if present else {})
    return None


def claim(item: Model, seen: str) -> bool:
    """Lock the row in the version that the form showed; return False if it has another one."""
    if not (seen.isascii() and seen.isdigit()) or len(seen) > 18:
        return False
    rows = type(item)._default_manager.filter(pk=item.pk, version=int(seen))
    return rows.update(version=F("version")) == 1


def _say_what_changed(form: forms.BaseForm, present: Mapping[str, Any]) -> None:
    typed = dict(form.cleaned_data)
    form.add_error(
        None,
        _(
            "A colleague has saved this meanwhile. Your words are still here: save again to replace theirs."
        ),
    )
    for name, value in present.items():
        if name in form.fields and typed.get(name) != value:
            form.add_error(name, _("Now it is: %(value)s") % {"value": _shown(value)})


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if value not in (None, "") else _("empty")
