"""Numbers as people type them into a search: whole or their beginning, in any national form.

Numbers are stored as E.164. ``(030) 123456`` and ``+49 (0)30 123456`` have a zero that ``+4930123456`` lacks.
"""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from django.db.models import Q, Value
from django.db.models.functions import Concat, StrIndex
from django.db.models.lookups import GreaterThan, Regex

from koinonia.phone import UnusableNumberError, normalise

_FEWEST, _MOST = 4, 17
"""Digits of a national number that are looked for: fewer match by chance, more are no number."""
_TRUNK_PREFIXES = ("0", "06")
"""Digits before a national number that its international form lacks. 06 is Hungary's."""
_ASKED_WHOLE, _TAIL = 4, 3


def digits_in(words: str) -> str:
    return "".join(letter for letter in words if letter in "0123456789")


def holding(digits: str, *, field: str = "phone", by_index: bool = True) -> Q:
    """Return the condition: ``field`` contains the digits.

    The index of trigrams is asked for the last three of many digits. The first ones stand in nearly
    every number of a town, and PostgreSQL reads the list of each trigram that it is asked for. It is
    asked for nothing without ``by_index``, for a condition beside another one.
    """
    whole = Q(GreaterThan(StrIndex(field, Value(digits)), 0))
    if not by_index:
        return whole
    if len(digits) <= _ASKED_WHOLE:
        return Q(**{f"{field}__contains": digits})
    return Q(**{f"{field}__contains": digits[-_TAIL:]}) & whole


def other_forms(typed: str, country: str, *, field: str = "phone") -> Q | None:
    """Return the condition: ``field`` is, or begins with, the typed number in another form.

    ``typed`` is read as a number of ``country`` (ISO 3166), and with a zero in front also as one of the country
    of each stored number. Return None where the typed digits stand in a stored number as they are.
    """
    digits = digits_in(typed)
    if not _FEWEST <= len(digits) <= _MOST or any(letter.isalpha() for letter in typed):
        return None
    conditions: list[Q] = []
    here = _international(typed, country)
    if here and digits not in here:
        conditions.append(Q(**{f"{field}__startswith": here}))
    if digits.startswith("00"):
        conditions.append(Q(**{f"{field}__startswith": f"+{digits[2:]}"}))
    for prefix in _TRUNK_PREFIXES:
        rest = digits.removeprefix(prefix)
        if rest != digits and len(rest) >= _FEWEST:
            # The index serves the first condition alone: it would read all trigrams of the pattern.
            unindexed = Concat(field, Value(""))
            pattern = rf"^\+({_codes_with(prefix)}){rest}"
            conditions.append(holding(rest, field=field) & Q(Regex(unindexed, pattern)))
    if not conditions:
        return None
    found = conditions[0]
    for condition in conditions[1:]:
        found |= condition
    return found


def whole_numbers(typed: str, country: str) -> set[str]:
    """Return the numbers in E.164 that ``typed`` may be; the typed digits need no plus."""
    digits = digits_in(typed)
    found = {f"+{digits}"} if digits else set()
    try:
        return {*found, normalise(typed, country)}
    except UnusableNumberError:
        return found


def _international(typed: str, country: str) -> str:
    """Return the beginning of the number as E.164; "" if there is none."""
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=len(_TRUNK_PREFIXES))
def _codes_with(prefix: str) -> str:
    """Return the calling codes, separated by bars, of the countries with this trunk prefix."""
    codes = {
        str(found.country_code)
        for region in phonenumbers.SUPPORTED_REGIONS
        if (found := phonenumbers.PhoneMetadata.metadata_for_region(region))
        and found.national_prefix == prefix
    }
    return "|".join(sorted(codes))
