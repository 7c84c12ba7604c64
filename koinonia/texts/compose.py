"""The words that one recipient reads, made as they are frozen."""

from __future__ import annotations

from delivery.accept import UnacceptableError
from delivery.plain_punctuation import plain
from delivery.visible_text import clean
from koinonia.models import Church, Member
from koinonia.texts import placeholders


def compose(template: str, member: Member | None, church: Church) -> str:
    """Return ``template`` filled in for ``member``, cleaned, with the church's punctuation."""
    text = clean(placeholders.render(template, member, church))
    return plain(text) if church.plain_punctuation else text


def compose_single(template: str, member: Member | None, church: Church) -> str:
    """As :func:`compose`, for a text to one number. Raises ``UnacceptableError``."""
    placeholders.check(template)
    missing = sorted(placeholders.needs_a_member(template))
    if member is None and missing:
        named = ", ".join(f"{{{name}}}" for name in missing)
        raise UnacceptableError(
            "text", f"No member has this number, so {named} cannot be filled in. Write the name."
        )
    return compose(template, member, church)
