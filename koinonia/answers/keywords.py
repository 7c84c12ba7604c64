"""Keywords: rules for a keyword, and the request in a text with a keyword.

A keyword counts as an opt-out word does: as the whole text or the whole first line, in any case, with
any punctuation around it. ``CHOIR`` joins the group; ``CHOIR STOP`` and ``STOP CHOIR`` leave it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from delivery.opt_outs.words import HELP_WORDS, START_WORDS, STOP_WORDS, key, phrases
from koinonia.models import Church, Keyword
from koinonia.models.keyword import MAX_WORD, keyword_key
from koinonia.opt_out_words import listed

MAX_KEYWORDS = 100
"""Limit of keywords per church."""


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """A request to join the group of a keyword, or to leave it."""

    keyword: Keyword
    leaves: bool


def request_in(
    text: str, keywords: Mapping[str, Keyword], own_stop_words: str
) -> GroupRequest | None:
    """Return the request in ``text``, or None without a keyword. ``keywords`` are by key."""
    if not keywords:
        return None
    found = sorted(phrases(text))
    for phrase in found:
        if keyword := keywords.get(phrase.replace(" ", "")):
            return GroupRequest(keyword, leaves=False)
    for phrase in found:
        for rest in _without_stop_word(phrase, own_stop_words):
            if keyword := keywords.get(keyword_key(rest)):
                return GroupRequest(keyword, leaves=True)
    return None


def by_key(church: Church) -> dict[str, Keyword]:
    """Return the keywords of the church by their keys."""
    rows = Keyword.objects.filter(church=church).select_related("group").order_by("pk")
    return {keyword.key: keyword for keyword in rows[:MAX_KEYWORDS]}


def check_word(church: Church, word: str) -> None:
    """Raise ValidationError for a reserved, too short or too long keyword."""
    phrase = key(word)
    if len(word) > MAX_WORD or len(phrase) < 2:
        raise ValidationError(
            _("A keyword has 2 to %(most)s letters or digits.") % {"most": MAX_WORD}
        )
    if phrase.replace(" ", "") in _reserved(church):
        raise ValidationError(
            _("“%(word)s” has another meaning already. Choose another word.") % {"word": word}
        )
    if any(_without_stop_word(phrase, church.opt_out_words)):
        raise ValidationError(
            _("“%(word)s” contains a word that ends texts. Choose another word.") % {"word": word}
        )


def check_opt_out_words(church: Church, words: str) -> None:
    """Raise ValidationError for opt-out words that are keywords of the church: they would never join."""
    taken = Keyword.objects.filter(church=church, key__in=map(keyword_key, listed(words)))
    for keyword in taken[:1]:
        raise ValidationError(
            _("“%(word)s” is a keyword of the group %(group)s. Delete the keyword first.")
            % {"word": keyword.word, "group": keyword.group.name}
        )


def _reserved(church: Church) -> set[str]:
    words = (*STOP_WORDS, *START_WORDS, *HELP_WORDS, *listed(church.opt_out_words))
    return {keyword_key(word) for word in words}


def _without_stop_word(phrase: str, own_stop_words: str) -> Iterable[str]:
    """Yield ``phrase`` without an opt-out word at its begin or end."""
    for stop in _stop_phrases(own_stop_words):
        if phrase.endswith(f" {stop}"):
            yield phrase.removesuffix(f" {stop}")
        if phrase.startswith(f"{stop} "):
            yield phrase.removeprefix(f"{stop} ")


def _stop_phrases(own_stop_words: str) -> Collection[str]:
    return {key(word) for word in (*STOP_WORDS, *listed(own_stop_words))} - {""}
