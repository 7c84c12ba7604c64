"""Reactions that phones send as texts: Liked “See you at 9”. They are shown on the text that they quote.

An iPhone in a conversation by SMS writes a verb and the quoted text; Google Messages writes the emoji and
the quoted text. A long quote ends with an ellipsis. English and Spanish phones are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from delivery.models import Direction, Message

_VERBS = {
    "❤️": ("Loved", "Le encantó"),
    "👍": ("Liked", "Le gustó"),
    "👎": ("Disliked", "No le gustó"),
    "😂": ("Laughed at", "Se rio de", "Se rió de"),
    "‼️": ("Emphasized", "Emphasised", "Enfatizó", "Destacó"),
    "❓": ("Questioned", "Cuestionó", "Preguntó por"),
}
_REMOVED = {
    "❤️": ("a heart",),
    "👍": ("a like",),
    "👎": ("a dislike",),
    "😂": ("a laugh",),
    "‼️": ("an exclamation",),
    "❓": ("a question mark",),
}
_EMOJI_OF = {verb: emoji for emoji, verbs in _VERBS.items() for verb in verbs}
_EMOJI_REMOVED = {words: emoji for emoji, each in _REMOVED.items() for words in each}
_LONGEST = 4000
_INVISIBLE = re.compile("[\u200a-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_EMOJI = r"(?P<emoji>[^\w\s“\"]{1,12})"
_QUOTE = '[“"«](?P<quote>.+)[”"»]'
_IMAGE = r"(?P<image>an image|a photo|una imagen|una foto)"
_TARGET = f"(?:{_QUOTE}|{_IMAGE})"
_VERB = "|".join(sorted(map(re.escape, _EMOJI_OF), key=len, reverse=True))
_GONE = "|".join(map(re.escape, _EMOJI_REMOVED))
_FORMS = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        f"(?P<verb>{_VERB}) {_TARGET}",
        f"Removed (?P<gone>{_GONE}) from {_TARGET}",
        f"(?:Reacted|Reaccionó con) {_EMOJI} (?:to|a) {_TARGET}",
        f"{_EMOJI} (?:to|a) {_TARGET}",
    )
)


@dataclass(frozen=True, slots=True)
class Tapback:
    """A reaction to a text, or its removal."""

    emoji: str
    quote: str
    """The quoted text without its ellipsis; empty for a reaction to a picture."""
    is_cut: bool = False
    """The quote is only the beginning of the text."""
    removed: bool = False

    def is_about(self, message: Message) -> bool:
        """Return whether ``message`` is the text or the picture that the reaction names."""
        if not self.quote:
            return bool(message.media_urls)
        said = _plain(message.text)
        return said.startswith(self.quote) if self.is_cut else said == self.quote


@dataclass(slots=True)
class Bubble:
    """A message of a conversation with the reactions to it."""

    message: Message
    tapback: Tapback | None = None
    """The reaction that this message is, if the text that it quotes is not shown."""
    reactions: list[str] = field(default_factory=list)


def tapback_in(text: str) -> Tapback | None:
    """Return the reaction that ``text`` is, else None."""
    plain = _plain(text[:_LONGEST])
    for form in _FORMS:
        if match := form.fullmatch(plain):
            return _tapback(match.groupdict())
    return None


def bubbles(messages: Sequence[Message]) -> list[Bubble]:
    """Return one bubble per message, oldest first; a reaction moves to the text that it quotes."""
    shown: list[Bubble] = []
    for message in messages:
        tapback = tapback_in(message.text) if message.direction == Direction.INBOUND else None
        quoted = _quoted(tapback, shown) if tapback else None
        if tapback is None or quoted is None:
            shown.append(Bubble(message, tapback))
        elif not tapback.removed:
            quoted.reactions.append(tapback.emoji)
        elif tapback.emoji in quoted.reactions:
            quoted.reactions.remove(tapback.emoji)
    return shown


def _quoted(tapback: Tapback, earlier: Iterable[Bubble]) -> Bubble | None:
    """Return the latest text of ours that the reaction is about."""
    for bubble in reversed(list(earlier)):
        if bubble.message.direction == Direction.OUTBOUND and tapback.is_about(bubble.message):
            return bubble
    return None


def _tapback(found: dict[str, str | None]) -> Tapback:
    gone, verb = found.get("gone"), found.get("verb")
    emoji = found.get("emoji") or _EMOJI_REMOVED.get(gone or "") or _EMOJI_OF[verb or ""]
    quote = (found["quote"] or "").strip()
    is_cut = quote.endswith(("…", "..."))
    return Tapback(
        emoji=emoji,
        quote=quote.rstrip(".…").rstrip() if is_cut else quote,
        is_cut=is_cut,
        removed=bool(gone),
    )


def _plain(text: str) -> str:
    """Return ``text`` without invisible characters and with single blanks."""
    return " ".join(_INVISIBLE.sub(" ", text).split())
