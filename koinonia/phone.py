"""Phone numbers as people write them, made E.164."""

from __future__ import annotations

import phonenumbers

_LONGEST_INPUT = 40


class UnusableNumberError(ValueError):
    """It is no number that a text could reach. The message is a sentence for people."""


def normalise(raw: str, country: str) -> str:
    """``raw`` in E.164; a number without a country code is read as one of ``country`` (ISO 3166)."""
    try:
        number = phonenumbers.parse(raw[: _LONGEST_INPUT + 1], country)
    except phonenumbers.NumberParseException:
        raise UnusableNumberError(_sentence(raw)) from None
    if len(raw) > _LONGEST_INPUT or number.extension or not phonenumbers.is_valid_number(number):
        raise UnusableNumberError(_sentence(raw))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _sentence(raw: str) -> str:
    shown = "".join(letter for letter in raw[:_LONGEST_INPUT] if letter.isprintable())
    return f"{shown!r} is not a phone number that can be texted."
