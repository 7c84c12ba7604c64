"""The opt-out words that a church adds to STOP, stored as a comma-separated list."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from delivery.opt_outs.words import HELP_WORDS, START_WORDS, key

_MAX_WORDS = 20
_MAX_LENGTH = 30


def listed(words: str) -> list[str]:
    """Return the list of words, stripped and without empty ones."""
    return [word.strip() for word in words.split(",") if word.strip()]


def check(words: str) -> None:
    """Raise ValidationError for words that would opt members out by accident or would never match."""
    found = listed(words)
    if len(found) > _MAX_WORDS:
        raise ValidationError(_("Name at most %(most)s words.") % {"most": _MAX_WORDS})
    reserved = {key(word) for word in (*START_WORDS, *HELP_WORDS)}
    for word in found:
        if len(word) > _MAX_LENGTH:
            sentence = _("A word may have at most %(most)s letters. Shorten “%(word)s”.")
            raise ValidationError(sentence % {"most": _MAX_LENGTH, "word": word})
        if len(key(word)) < 2:
            sentence = _("“%(word)s” has too few letters. Name a whole word.")
            raise ValidationError(sentence % {"word": word})
        if key(word) in reserved:
            sentence = _("“%(word)s” has another meaning already. Leave it out.")
            raise ValidationError(sentence % {"word": word})
