"""A serializer class that has only the chosen fields, and makes them without asking the model."""

from __future__ import annotations

import copy
from typing import Any

from rest_framework.serializers import BaseSerializer, Field, ListSerializer, Serializer

from httpopt.fields.syntax import Selection

Fields = dict[str, "Field[Any, Any, Any, Any]"]


class UnknownFieldsError(ValueError):
    """Names that are not there, or that this user may not see: the same answer for both."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def narrowed(serializer: Serializer[Any], selection: Selection | None) -> type[Serializer[Any]]:
    """The class for this selection (None: all fields). Raises UnknownFieldsError."""
    unknown: list[str] = []
    made = _narrow(serializer, selection, "", unknown)
    if unknown:
        raise UnknownFieldsError(sorted(unknown))
    return made


def _narrow(
    serializer: Serializer[Any], selection: Selection | None, path: str, unknown: list[str]
) -> type[Serializer[Any]]:
    readable = {
        name: field for name, field in serializer.get_fields().items() if not field.write_only
    }
    if selection is not None:
        unknown += [f"{path}{name}" for name in selection if name not in readable]
    chosen: Fields = {
        name: _narrow_field(field, (selection or {}).get(name), f"{path}{name}.", unknown)
        for name, field in readable.items()
        if selection is None or name in selection
    }
    return _class_with(type(serializer), chosen)


def _class_with(base: type[Serializer[Any]], fields: Fields) -> type[Serializer[Any]]:
    def get_fields(_: Serializer[Any]) -> Fields:
        return copy.deepcopy(fields)

    return type(base.__name__, (base,), {"get_fields": get_fields})


def _narrow_field(
    field: Field[Any, Any, Any, Any], selection: Selection | None, path: str, unknown: list[str]
) -> Any:
    if isinstance(field, ListSerializer) and isinstance(field.child, Serializer):
        child = _made_again(field.child, _narrow(field.child, selection, path, unknown))
        return _made_again(field, type(field), child=child)
    if isinstance(field, Serializer):
        return _made_again(field, _narrow(field, selection, path, unknown))
    if selection is not None:
        unknown += [f"{path}{name}" for name in selection]
    return field


def _made_again(
    serializer: BaseSerializer[Any], made: type[BaseSerializer[Any]], **other: Any
) -> Any:
    """As DRF copies a field: by the arguments that it keeps of each."""
    given: Any = serializer
    return made(*given._args, **{**given._kwargs, **other})
