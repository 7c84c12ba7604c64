"""Name fields in the admin's forms, cleaned by the same rule as in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field

from delivery.content.visible_text import is_blank
from koinonia.names import tidy

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin

    _Base = BaseModelAdmin[Any]
else:
    _Base = object

_NAMES = {"name", "first_name", "last_name"}
_USER_NAME = "username"


class NameFormField(forms.CharField):
    """A cleaned name; empty for an invisible name."""

    def to_python(self, value: Any) -> Any:
        return tidy(str(super().to_python(value) or ""))


class TidyNamesMixin(_Base):
    """Cleans names in an admin's forms and rejects invisible user names."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        if db_field.name in _NAMES:
            kwargs["form_class"] = NameFormField
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == _USER_NAME and field is not None:
            field.validators = [*field.validators, visible]
        return field


def visible(name: str) -> None:
    """Raise ValidationError for an invisible name."""
    if is_blank(name):
        raise ValidationError("This name is invisible.")
