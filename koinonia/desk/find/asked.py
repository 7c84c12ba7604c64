"""The question of a search: the form, and the meanings of its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from koinonia import ids
from koinonia.models import Church
from koinonia.phone import UnusableNumberError, normalise
from koinonia.sending_numbers import owner_of

_LARGEST_KEY = 2**63 - 1
_MOST_CHURCHES = 20
_COUNTRY = "US"
"""The country of a number without a country code, unless a church is named."""
_LOOKS_LIKE_AN_ID = re.compile(r"[A-Z]{2}[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}", re.IGNORECASE)
"""Twilio's and Telnyx's ids."""


class FindForm(forms.Form):
    """A number or an id, a church, and a time. Times are UTC."""

    q = forms.CharField(
        required=False,
        max_length=100,
        strip=True,
        label="Number or id",
        help_text="A whole phone number, the id of a text (Uk or #123), or Telnyx's or Twilio's id.",
    )
    church = forms.CharField(
        required=False,
        max_length=100,
        strip=True,
        label="Church",
        help_text="Its name, a part of it, or its number.",
    )
    since = forms.DateTimeField(required=False, label="From (UTC)")
    until = forms.DateTimeField(required=False, label="Until (UTC)")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["q"].widget.attrs.update(autocapitalize="none", spellcheck="false")
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateTimeInput(
                attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until <= since:
            self.add_error("until", "This is not after the time in From.")
        return given


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A search that can be made."""

    number: str = ""
    """E.164."""
    word: str = ""
    """An id: ours, or a provider's."""
    church: Church | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.number or self.word or self.church)

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the URL, without the number."""
        found = {"q": self.word, "church": self.church.slug if self.church else ""}
        for name, moment in (("since", self.since), ("until", self.until)):
            found[name] = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" if moment else ""
        return {name: value for name, value in found.items() if value}


def number_in(text: str, church: Church | None) -> str:
    """Return the number in ``text`` as E.164; "" for other words."""
    if not any(letter.isdigit() for letter in text) or _LOOKS_LIKE_AN_ID.fullmatch(text):
        return ""
    if text.startswith("#"):
        return ""
    try:
        return normalise(text, church.country if church else _COUNTRY)
    except UnusableNumberError:
        return ""


def keys_in(word: str) -> list[int]:
    """Return the keys of messages that ``word`` may name: our short id, or ``#123``."""
    found = {ids.decode(word)}
    digits = word.removeprefix("#")
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        found.add(int(digits))
    return sorted(key for key in found if key is not None and 0 < key <= _LARGEST_KEY)


def churches_like(text: str) -> list[Church]:
    """Return the churches that ``text`` may name, one if it names one exactly; at most 20."""
    churches: QuerySet[Church] = Church.objects.all()
    exact = churches.filter(slug=text).first()
    if exact is None and (number := number_in(text, None)):
        exact = owner_of(number)
    if exact is not None:
        return [exact]
    found = churches.filter(Q(name__icontains=text) | Q(slug__icontains=text)).order_by(
        "name", "pk"
    )
    named = list(found[: _MOST_CHURCHES + 1])
    return [one for one in named if one.name.casefold() == text.casefold()][:1] or named


def asked_in(given: Mapping[str, Any], church: Church | None, number: str) -> Asked:
    """Return the search of a valid form, with the church and the number that were recognised."""
    return Asked(
        number=number,
        word="" if number else given.get("q", ""),
        church=church,
        since=given.get("since"),
        until=given.get("until"),
    )
