"""Reactions of phones, sent as texts: Liked “See you at 9”. The inbox shows each on the quoted text.

An iPhone in a conversation by SMS writes a verb and the quoted text; Google Messages, and an iPhone for
any other emoji, write the emoji and the quoted text in the language of the phone. A long quote ends with
an ellipsis. English, Spanish and French verbs are known. In any other language an emoji beside a quote
is a reaction if the quote is a text of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from delivery.models import Direction, Message

_VERBS = {
    "❤️": ("Loved", "Le encantó", "A adoré", "Amou"),
    "👍": ("Liked", "Le gustó", "A aimé", "Gostou de"),
    "👎": ("Disliked", "No le gustó", "N\u2019a pas aimé", "N'a pas aimé", "Não gostou de"),
    "😂": ("Laughed at", "Se rio de", "Se rió de", "A ri de", "Riu de"),
    "‼️": ("Emphasized", "Emphasised", "Enfatizó", "Destacó", "A mis en évidence", "A souligné",
           "Enfatizou"),
    "❓": ("Questioned", "Cuestionó", "Preguntó por", "A posé une question sur", "Questionou"),
    "🏷️": ("Reacted with a sticker to",),
}  # fmt: skip
_REMOVED = {
    "❤️": ("a heart",),
    "👍": ("a like",),
    "👎": ("a dislike",),
    "😂": ("a laugh",),
    "‼️": ("an exclamation", "an emphasis"),
    "❓": ("a question mark",),
}
_EMOJI_OF = {verb: emoji for emoji, verbs in _VERBS.items() for verb in verbs}
_EMOJI_REMOVED = {words: emoji for emoji, each in _REMOVED.items() for words in each}
_LONGEST = 4000
_INVISIBLE = re.compile("[\u200a-\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_EMOJI = r"(?P<emoji>[^\w\s“”\u2018\u2019„«»\"'.,:;!?()\[\]<>@#*+=/\\\u2013\u2014-]{1,24})"
_QUOTE = r"[“\"«„\u2018]\s?(?P<quote>.+)\s?[”\"»“\u2019]"
_THING = "image|photo|picture|movie|video|attachment|audio message|voice message"
_IMAGE = (
    rf"(?P<image>(?:an?|the) (?:{_THING})|\d{{1,3}} (?:{_THING})s|una imagen|una foto|un video|un vídeo"
    r"|un archivo adjunto|un mensaje de audio|une image|une photo|une vidéo)"
)
_TARGET = f"(?:{_QUOTE}|{_IMAGE})"
_VERB = "|".join(sorted(map(re.escape, _EMOJI_OF), key=len, reverse=True))
_GONE = "|".join(map(re.escape, _EMOJI_REMOVED))
_FORMS = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        f"(?P<verb>{_VERB}) {_TARGET}",
        f"(?P<took_back>Removed) (?P<gone>{_GONE}) from {_TARGET}",
        f"(?P<took_back>Removed|Eliminó|Quitó|A retiré) {_EMOJI} (?:from|de) {_TARGET}",
        f"(?:Reacted|Reaccionó con|A réagi avec) {_EMOJI} (?:to|a|à) {_TARGET}",
        f"{_EMOJI} (?:to|a|à) {_TARGET}",
    )
)
_WORDS = r"[^“”\u2018\u2019„«»\"\n]{0,40}?"
_IN_ANY_LANGUAGE = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        f'{_WORDS}{_EMOJI}{_WORDS}{_QUOTE}[^“”„«»"]{{0,40}}',
        f"{_QUOTE}{_WORDS}{_EMOJI}{_WORDS}",
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
    """Return the reaction that ``text`` is without doubt, else None."""
    plain = _plain(text[:_LONGEST])
    for form in _FORMS:
        if match := form.fullmatch(plain):
            return _tapback(match.groupdict())
    return None


def _possible_tapback(text: str) -> Tapback | None:
    """Return a reaction in a language without known words: an emoji beside a quote."""
    plain = _plain(text[:_LONGEST])
    for form in _IN_ANY_LANGUAGE:
        if match := form.fullmatch(plain):
            return _tapback(match.groupdict())
    return None


def bubbles(messages: Sequence[Message]) -> list[Bubble]:
    """Return one bubble per message, oldest first; a reaction moves to the text that it quotes."""
    shown: list[Bubble] = []
    for message in messages:
        tapback, quoted = _reaction(message, shown)
        if tapback is None or quoted is None:
            shown.append(Bubble(message, tapback))
        elif not tapback.removed:
            quoted.reactions.append(tapback.emoji)
        elif tapback.emoji in quoted.reactions:
            quoted.reactions.remove(tapback.emoji)
    return shown


def _reaction(message: Message, earlier: list[Bubble]) -> tuple[Tapback | None, Bubble | None]:
    """Return the reaction that ``message`` is, and the bubble that it is about."""
    if message.direction != Direction.INBOUND:
        return None, None
    if tapback := tapback_in(message.text):
        return tapback, _quoted(tapback, earlier)
    if (possible := _possible_tapback(message.text)) and (quoted := _quoted(possible, earlier)):
        # A person uses an emoji once per text, so the second one removes the first.
        return replace(possible, removed=possible.emoji in quoted.reactions), quoted
    return None, None


def _quoted(tapback: Tapback, earlier: Iterable[Bubble]) -> Bubble | None:
    """Return the latest text of ours that the reaction is about."""
    for bubble in reversed(list(earlier)):
        if bubble.message.direction == Direction.OUTBOUND and tapback.is_about(bubble.message):
            return bubble
    return None


def _tapback(found: dict[str, str | None]) -> Tapback:
    gone, verb = found.get("gone"), found.get("verb")
    emoji = found.get("emoji") or _EMOJI_REMOVED.get(gone or "") or _EMOJI_OF[verb or ""]
    quote = (found.get("quote") or "").strip()
    is_cut = quote.endswith(("…", "..."))
    return Tapback(
        emoji=emoji,
        quote=quote.rstrip(".…").rstrip() if is_cut else quote,
        is_cut=is_cut,
        removed=bool(found.get("took_back")),
    )


def _plain(text: str) -> str:
    """Return ``text`` without invisible characters and with single blanks."""
    return " ".join(_INVISIBLE.sub(" ", text).split())
