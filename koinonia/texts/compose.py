"""Rendering a template for one recipient."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from delivery.content.plain_punctuation import plain
from delivery.content.visible_text import clean
from koinonia.models import Church
from koinonia.texts import placeholders
from koinonia.texts.placeholders import Named


class Composer:
    """Fills in one template for the members of one church.

    Template and names are cleaned once each, and not once per text: a broadcast of 1,500 characters
    to 5,000 members has 7,500,000 characters.
    """

    def __init__(self, template: str, church: Church) -> None:
        self._church = church
        self._template = self._clean(template)
        self._pieces = placeholders.pieces(self._template)
        self._church_name = self._clean(church.name.strip()).strip()
        self._constant = "" if placeholders.needs_a_member(self._template) else self._fill_in(None)

    def text_for(self, member: Named | None) -> str:
        """Return the text for ``member``."""
        return self._constant or self._fill_in(member)

    def _fill_in(self, member: Named | None) -> str:
        values = {"church": self._church_name, "": ""}
        if member is not None:
            values["first_name"] = self._clean(member.first_name.strip()).strip()
            values["last_name"] = self._clean(member.last_name.strip()).strip()
        if all(values.get(name) for _, name in self._pieces[:-1]):
            text = "".join([words + values[name] for words, name in self._pieces])
        else:
            # A missing value also changes the blanks and commas around it.
            text = placeholders.render(self._template, member, self._church, self._clean)
        # A combining accent at the start of a name composes with the letter before it.
        return unicodedata.normalize("NFC", text)

    def _clean(self, words: str) -> str:
        cleaned = clean(words)
        return plain(cleaned) if self._church.plain_punctuation else cleaned


def compose(template: str, member: Named | None, church: Church) -> str:
    """Return ``template`` filled in for ``member`` and cleaned by the church's settings."""
    return Composer(template, church).text_for(member)


def compose_single(template: str, member: Named | None, church: Church) -> str:
    """Check and compose the text of a single message. Raise ``UnacceptableError``."""
    placeholders.check(template)
    missing = sorted(placeholders.needs_a_member(template))
    if member is None and missing:
        named = ", ".join(f"{{{name}}}" for name in missing)
        sentence = _("This number has no member to fill in %(names)s. Write the name.")
        raise UnacceptableError("text", sentence % {"names": named})
    return compose(template, member, church)
