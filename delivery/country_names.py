"""The names of countries for people, by their ISO 3166 codes, from the data of Unicode (CLDR)."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language


def country_name(code: str) -> str:
    """Return the name of a country in the active language, or its code if it has none there."""
    return _name(code, get_language() or "en")


@lru_cache(maxsize=1_000)
def _name(code: str, language: str) -> str:
    # Imported here: a process that names no country does not read the names. Babel takes 7 MB;
    # the names of phonenumbers come with the places of all numbers, and take 99 MB.
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError:
        return code
    try:
        known = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        known = Locale("en")
    name: str = known.territories.get(code, code)
    return name
