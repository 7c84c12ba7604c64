"""Names in the forms of the admin, by the same rule as in the API."""

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
    """A name as it is kept; empty where nobody would see anything of it."""

    def to_python(self, value: Any) -> Any:
        return tidy(str(super().to_python(value) or ""))


class TidyNamesMixin(_Base):
    """An admin whose forms tidy names, and refuse a user name that nobody can see."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        if db_field.name in _NAMES:
            kwargs["form_class"] = NameFormField
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == _USER_NAME and field is not None:
            field.validators = [*field.validators, visible]
        return field


def visible(name: str) -> None:
    """Raise ValidationError for a name of which a reader sees nothing."""
    if is_blank(name):
        raise ValidationError("Nothing of this name can be seen.")
