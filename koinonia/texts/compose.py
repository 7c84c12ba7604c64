"""The words that one recipient reads, made as they are frozen."""

from __future__ import annotations

import unicodedata

from delivery.accept import UnacceptableError
from delivery.content.plain_punctuation import plain
from delivery.content.visible_text import clean
from koinonia.models import Church, Member
from koinonia.texts import placeholders


class Composer:
    """Fills in one template for the members of one church.

    Template and names are cleaned, and given the church's punctuation, once each and not in every
    text: a broadcast of 1,500 letters to 5,000 members has 7,500,000 of them.
    """

    def __init__(self, template: str, church: Church) -> None:
        self._church = church
        self._template = self._written(template)

    def text_for(self, member: Member | None) -> str:
        """Return the text as ``member`` gets it."""
        text = placeholders.render(self._template, member, self._church, self._written)
        # An accent at the start of a name joins the letter before it.
        return unicodedata.normalize("NFC", text)

    def _written(self, words: str) -> str:
        cleaned = clean(words)
        return plain(cleaned) if self._church.plain_punctuation else cleaned


def compose(template: str, member: Member | None, church: Church) -> str:
    """Return ``template`` filled in for ``member``, cleaned, with the church's punctuation."""
    return Composer(template, church).text_for(member)


def compose_single(template: str, member: Member | None, church: Church) -> str:
    """Compose (see :func:`compose`) a cleaned text to one number. Raises ``UnacceptableError``."""
    placeholders.check(template)
    missing = sorted(placeholders.needs_a_member(template))
    if member is None and missing:
        named = ", ".join(f"{{{name}}}" for name in missing)
        raise UnacceptableError(
            "text", f"No member has this number, so {named} cannot be filled in. Write the name."
        )
    return compose(template, member, church)
