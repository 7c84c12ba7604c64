"""Errors of the API's serializers and functions, shown beside the fields of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from rest_framework.exceptions import ValidationError

from delivery.accept import UnacceptableError


def add_errors(form: forms.BaseForm, errors: Any, names: Mapping[str, str] | None = None) -> None:
    """Add the errors of a serializer, of DRF's ValidationError or of ``delivery`` to the form.

    ``names`` maps names of the API to fields of the form. An error of an unknown field is shown
    above the form. The form must be bound; its own errors stay.
    """
    if isinstance(errors, UnacceptableError):
        errors = {errors.field: [errors.message]}
    if isinstance(errors, ValidationError):
        errors = errors.detail
    if not isinstance(errors, Mapping):
        errors = {"non_field_errors": errors}
    for name, found in errors.items():
        field = (names or {}).get(name, name)
        for sentence in dict.fromkeys(_sentences(found)):
            form.add_error(field if field in form.fields else None, sentence)


def _sentences(found: Any) -> Iterator[str]:
    """Yield the sentences of nested lists and mappings."""
    if isinstance(found, Mapping):
        for inner in found.values():
            yield from _sentences(inner)
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from _sentences(inner)
    else:
        yield str(found)
