"""Rendering a template for one recipient."""

from __future__ import annotations

import unicodedata

from delivery.accept import UnacceptableError
from delivery.content.plain_punctuation import plain
from delivery.content.visible_text import clean
from koinonia.models import Church, Member
from koinonia.texts import placeholders


class Composer:
    """Fills in one template for the members of one church.

    Template and names are cleaned once each, and not once per text: a broadcast of 1,500 characters
    to 5,000 members has 7,500,000 characters.
    """

    def __init__(self, template: str, church: Church) -> None:
        self._church = church
        self._template = self._clean(template)

    def text_for(self, member: Member | None) -> str:
        """Return the text for ``member``."""
        text = placeholders.render(self._template, member, self._church, self._clean)
        # A combining accent at the start of a name composes with the letter before it.
        return unicodedata.normalize("NFC", text)

    def _clean(self, words: str) -> str:
        cleaned = clean(words)
        return plain(cleaned) if self._church.plain_punctuation else cleaned


def compose(template: str, member: Member | None, church: Church) -> str:
    """Return ``template`` filled in for ``member`` and cleaned by the church's settings."""
    return Composer(template, church).text_for(member)


def compose_single(template: str, member: Member | None, church: Church) -> str:
    """Check and compose the text of a single message. Raise ``UnacceptableError``."""
    placeholders.check(template)
    missing = sorted(placeholders.needs_a_member(template))
    if member is None and missing:
        named = ", ".join(f"{{{name}}}" for name in missing)
        raise UnacceptableError(
            "text", f"This number has no member to fill in {named}. Write the name."
        )
    return compose(template, member, church)
