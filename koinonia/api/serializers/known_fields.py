"""Serializers that refuse unknown fields, so that a misspelt name is not silently ignored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object

_MAX_ERRORS = 10
_MAX_NAME_LENGTH = 50
"""A longer name gets no suggestion: a comparison costs the product of the lengths."""
_MIN_SIMILARITY = 0.7
_OTHER_WORDS = {
    "body": ("text",),
    "content": ("text",),
    "message": ("text",),
    "scheduledat": ("send_at",),
    "scheduleat": ("send_at",),
    "schedule": ("send_at",),
    "when": ("send_at",),
    "number": ("to", "phone"),
    "phone": ("to",),
    "phonenumber": ("phone", "to"),
    "mobile": ("phone", "to"),
    "recipient": ("to",),
    "media": ("media_urls",),
    "state": ("status",),
    "everyone": ("all",),
    "note": ("reason",),
}
"""Names in other APIs, in lower case and without underscores -> our names for the same field."""


# Refuses unknown fields, together with all other errors. Read-only fields are accepted, and their
# values are ignored: a client may send back the item that it read. This is a comment because drf-spectacular
# would show a docstring as the description of every body.
class KnownFieldsMixin(_Base):
    def to_internal_value(self, data: Any) -> Any:
        unknown = _unknown(data, self.fields)
        if not unknown:
            return super().to_internal_value(data)
        writable = [name for name, field in self.fields.items() if not field.read_only]
        errors = {name: [_sentence(name, writable)] for name in unknown[:_MAX_ERRORS]}
        if unknown[_MAX_ERRORS:]:
            more = len(unknown) - _MAX_ERRORS
            errors["non_field_errors"] = [f"There are {more} more unknown fields."]
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **errors}) from None
        raise serializers.ValidationError(errors)


def _unknown(data: Any, fields: Mapping[str, Any]) -> list[str]:
    return [name for name in data if name not in fields] if isinstance(data, Mapping) else []


def _sentence(name: str, writable: list[str]) -> str:
    if meant := _similar(name, writable):
        return f"There is no such field here: {meant} is meant."
    return f"There is no such field here. There are: {', '.join(writable)}."


def _similar(name: str, writable: Iterable[str]) -> str | None:
    """Return the most similar field, ignoring case and underscores."""
    if len(name) > _MAX_NAME_LENGTH:
        return None
    plain = {_plain(known): known for known in writable}
    wanted = _plain(name)
    for other in _OTHER_WORDS.get(wanted, ()):
        if other in plain.values():
            return other
    close = get_close_matches(wanted, plain, n=1, cutoff=_MIN_SIMILARITY)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()
