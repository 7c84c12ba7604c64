"""Bodies that hold only what is known: a misspelt name must not be taken for one left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object

_MOST_TOLD = 10
_LONGEST_NAME = 50
"""A longer name is likened to nothing: comparing costs the product of the lengths."""
_LIKENESS = 0.7
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
"""Names that other APIs use, without case and underscores; ours for the same thing."""


# A comment, for drf-spectacular would show a docstring as the description of every body: a
# serializer that refuses the names it does not have, beside all else that is wrong. Read-only names
# of the shape are known, and what they hold is ignored: a client may send an item back as it was read.
class KnownFieldsMixin(_Base):
    def to_internal_value(self, data: Any) -> Any:
        unknown = _unknown(data, self.fields)
        if not unknown:
            return super().to_internal_value(data)
        writable = [name for name, field in self.fields.items() if not field.read_only]
        errors = {name: [_sentence(name, writable)] for name in unknown[:_MOST_TOLD]}
        if unknown[_MOST_TOLD:]:
            more = len(unknown) - _MOST_TOLD
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
    if meant := _meant(name, writable):
        return f"There is no such field here: {meant} is meant."
    return f"There is no such field here. There are: {', '.join(writable)}."


def _meant(name: str, writable: Iterable[str]) -> str | None:
    """Return the field that was probably meant, without regard to case and underscores."""
    if len(name) > _LONGEST_NAME:
        return None
    plain = {_plain(known): known for known in writable}
    wanted = _plain(name)
    for other in _OTHER_WORDS.get(wanted, ()):
        if other in plain.values():
            return other
    close = get_close_matches(wanted, plain, n=1, cutoff=_LIKENESS)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()
