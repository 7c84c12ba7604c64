"""The checks of a phone number for its page: its form, its kind and its place."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.country_names import country_name

_KINDS: dict[int, str | Promise] = {
    phonenumbers.PhoneNumberType.MOBILE: _("Mobile"),
    phonenumbers.PhoneNumberType.FIXED_LINE: _("Landline: it may not take texts"),
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: _("Mobile or landline"),
    phonenumbers.PhoneNumberType.TOLL_FREE: _("Toll-free: it takes no texts from a church"),
    phonenumbers.PhoneNumberType.PREMIUM_RATE: _("Premium rate: it takes no texts from a church"),
    phonenumbers.PhoneNumberType.VOIP: _("Internet telephone"),
    phonenumbers.PhoneNumberType.PAGER: _("Pager"),
}


@dataclass(frozen=True)
class NumberChecks:
    national: str
    international: str
    country: str
    """Its name; empty if it is unknown."""
    kind: str | Promise
    valid: bool
    """The number belongs to a range that its country has given out."""


def number_checks(number: str) -> NumberChecks:
    """Check an E.164 number against the numbering plan of its country."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NumberChecks(number, number, "", _("Unknown"), False)
    region = phonenumbers.region_code_for_number(parsed) or ""
    written = phonenumbers.PhoneNumberFormat
    return NumberChecks(
        national=phonenumbers.format_number(parsed, written.NATIONAL),
        international=phonenumbers.format_number(parsed, written.INTERNATIONAL),
        country=country_name(region) if region.isalpha() else "",
        kind=_KINDS.get(phonenumbers.number_type(parsed), _("Unknown")),
        valid=phonenumbers.is_valid_number(parsed),
    )
