"""Refuse numbers in countries that are not allowed, and numbers with an extra charge.

Toll fraud (artificially inflated traffic) sends messages to numbers that pay their owner for each
message. Most are abroad, in ranges that ITU-T E.164 assigns to no country (satellite and
international networks), or in premium ranges of a country.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from delivery import conf
from delivery.country_names import country_name
from delivery.models.transitions import Failure

_OF_NO_COUNTRY = (
    "+800", "+808", "+870", "+871", "+872", "+873", "+874", "+878", "+881", "+882", "+883", "+888", "+979",
    "+991", "+999",
)  # fmt: skip
"""ITU-T E.164, annex: international freephone, shared cost, Inmarsat, personal numbers, global mobile
satellite, international networks, disaster relief, premium rate."""
_COSTLY = _(
    "This number is of a premium, shared-cost, personal or satellite range. It is never texted."
)
_UNREADABLE = _("This is not a number with a country code. Write it like +13125550123.")
_UNKNOWN_COUNTRY = _(
    "Texts to this country are not switched on here. Ask the operator to allow it."
)
_CLOSED_COUNTRY = _(
    "Texts to this country are not switched on here: %(country)s. Ask the operator to allow it."
)
_EVERYWHERE = frozenset({"*"})
_NORTH_AMERICAN = re.compile(r"\+1[0-9]{10}")
_TERRITORIES = {"US": frozenset({"AS", "GU", "MP", "PR", "VI"})}
"""Territories with separate ISO 3166 codes; carriers bill a message to them as a domestic one."""


@dataclass(frozen=True, slots=True)
class _Place:
    country: str
    """ISO 3166; empty if the number's country is unknown."""
    is_costly: bool


def refusal(number: str, allowed: Set[str]) -> str:
    """Return the reason, as a sentence, why ``number`` (E.164) is refused; empty if it is allowed.

    ``allowed``: ISO 3166 codes, or ``*`` for every country.
    """
    if number.startswith(_OF_NO_COUNTRY):
        return str(_COSTLY)
    place = _place(number)
    if place is None:
        return str(_UNREADABLE)
    if place.is_costly:
        return str(_COSTLY)
    if allowed & (_EVERYWHERE | {place.country}):
        return ""
    if not place.country:
        return str(_UNKNOWN_COUNTRY)
    return str(_CLOSED_COUNTRY % {"country": country_name(place.country)})


def failure(reason: str) -> Failure:
    """Return ``reason`` as the failure of a message."""
    return Failure("destination_refused", reason, "permanent")


def countries_of(tenant: Any) -> frozenset[str]:
    """Return the countries that ``tenant`` may text: the setting ``COUNTRIES``, else the tenant's country.

    The United States include their territories.
    """
    configured = conf.countries()
    if configured is not None:
        return configured
    own = str(getattr(tenant, conf.tenant_country_field(), "") or "")
    place = None if own else _place(str(getattr(tenant, conf.tenant_number_field(), "")))
    country = own.upper() or (place.country if place else "")
    return _TERRITORIES.get(country, frozenset()) | ({country} - {""})


def _place(number: str) -> _Place | None:
    """Return the country and the kind of a number; None if it is unreadable.

    In the North American plan both follow from the first six digits: one look-up serves 10,000
    numbers of a broadcast.
    """
    is_north_american = _NORTH_AMERICAN.fullmatch(number)
    return _looked_up(f"{number[:8]}0000" if is_north_american else number)


@lru_cache(maxsize=10_000)
def _looked_up(number: str) -> _Place | None:
    # Imported here: a project that allows every country does not need the library.
    try:
        import phonenumbers
        from phonenumbers import PhoneNumberType
    except ImportError:
        return _place_by_prefix(number)
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    costly = {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.VOICEMAIL,
    }
    # A range that is newer than the library belongs to the first country of its calling code.
    country = phonenumbers.region_code_for_number(
        parsed
    ) or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    is_costly = country == "001" or phonenumbers.number_type(parsed) in costly
    return _Place("" if country in {"001", "ZZ"} else country, is_costly)


def _place_by_prefix(number: str) -> _Place | None:
    """Return no country: without the library only ``*`` works, and a system check tells so."""
    return _Place("", is_costly=False) if number.startswith("+") else None
