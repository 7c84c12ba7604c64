"""Names and texts as they reach a reader; see ``koinonia.names`` and ``delivery.content.visible_text``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from delivery.content.visible_text import clean, is_blank
from koinonia.names import tidy

_MARKS = 8
"""Code points that one visible letter may be written with; a longer input is not even cleaned."""


class _CleanedField(serializers.CharField):
    """Cleaned before it is measured; empty where a reader would see nothing."""

    cleaned: Callable[[str], str]

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # Nobody types these: they are refused, and not taken out.
        for refuse in (ProhibitNullCharactersValidator(), ProhibitSurrogateCharactersValidator()):
            refuse(text)
        if self.max_length is not None and len(text) > self.max_length * _MARKS:
            self.fail("max_length", max_length=self.max_length)
        text = type(self).cleaned(text)
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class NameField(_CleanedField):
    """A name: NFC, one line, single blanks, nothing that only steers a display."""

    cleaned = staticmethod(tidy)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 100, **options})


def _visible(text: str) -> str:
    kept = clean(text)
    return "" if is_blank(kept) else kept


class TextField(_CleanedField):
    """What people write: NFC, of any number of lines, as it stands otherwise."""

    cleaned = staticmethod(_visible)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})
