"""Reactions of phones are shown on the text that they quote."""

from __future__ import annotations

import pytest

from delivery.models import Direction, Message
from koinonia.inbox.tapbacks import bubbles, tapback_in


@pytest.mark.parametrize(
    ("text", "emoji", "quote"),
    [
        ("Liked “See you at 9”", "👍", "See you at 9"),
        ('Loved "See you at 9"', "❤️", "See you at 9"),
        ("Laughed at “See you at 9”", "😂", "See you at 9"),
        ("Emphasized “See\nyou at 9”", "‼️", "See you at 9"),
        ("Questioned “He said “come””", "❓", "He said “come”"),
        ("Disliked an image", "👎", ""),
        ("Reacted 🙏 to “See you at 9”", "🙏", "See you at 9"),
        ("\u200b🙏\u200b to “\u200aSee you at 9\u200a”", "🙏", "See you at 9"),
        ("Le encantó “Nos vemos a las 9”", "❤️", "Nos vemos a las 9"),
        ("No le gustó “Nos vemos a las 9”", "👎", "Nos vemos a las 9"),
        ("A adoré « à 9 h »", "❤️", "à 9 h"),
        ("N’a pas aimé « à 9 h »", "👎", "à 9 h"),
        ("A réagi avec 🙏 à « à 9 h »", "🙏", "à 9 h"),
        ("Reacted 👨\u200d👩\u200d👧 to “See you at 9”", "👨\u200d👩\u200d👧", "See you at 9"),
        ("Reacted with a sticker to “See you at 9”", "🏷️", "See you at 9"),
        ("Loved a movie", "❤️", ""),
        ("Liked 2 images", "👍", ""),
    ],
)
def test_a_reaction_is_recognised(text: str, emoji: str, quote: str) -> None:
    found = tapback_in(text)
    assert found is not None
    assert (found.emoji, found.quote, found.removed) == (emoji, quote, False)


@pytest.mark.parametrize(
    "text",
    [
        "I liked “Amazing Grace”",
        "Liked it a lot",
        "Loved the sermon, “grace” again",
        "👍",
        "9 to “x”",
        "Loved a link",
        "‘See you’에 👀 표시함",
        "Pastor 😂 said “grace”",
        "",
    ],
)
def test_another_text_is_no_reaction(text: str) -> None:
    assert tapback_in(text) is None


def thread(*texts: tuple[str, str]) -> list[Message]:
    return [Message(pk=key, direction=way, text=text) for key, (way, text) in enumerate(texts)]


OUT, IN = Direction.OUTBOUND, Direction.INBOUND


def test_a_reaction_stands_at_the_latest_text_that_it_quotes() -> None:
    shown = bubbles(
        thread((OUT, "Hi"), (OUT, "Choir at 7"), (OUT, "Choir at 7"), (IN, "Liked “Choir at 7”"))
    )
    assert [one.reactions for one in shown] == [[], [], ["👍"]]


def test_a_reaction_quotes_the_beginning_of_a_long_text() -> None:
    shown = bubbles(thread((OUT, "Choir at 7 and coffee"), (IN, "Loved “Choir at 7 and…”")))
    assert [one.reactions for one in shown] == [["❤️"]]


def test_a_removed_reaction_is_gone() -> None:
    shown = bubbles(thread((OUT, "Hi"), (IN, "Liked “Hi”"), (IN, "Removed a like from “Hi”")))
    assert [one.reactions for one in shown] == [[]]


def test_a_reaction_without_its_text_stays_a_bubble() -> None:
    shown = bubbles(thread((OUT, "Hi"), (IN, "Liked “Something of last year”")))
    assert shown[1].tapback is not None
    assert shown[1].tapback.quote == "Something of last year"


def test_a_text_of_ours_is_never_a_reaction() -> None:
    shown = bubbles(thread((OUT, "Hi"), (OUT, "Liked “Hi”")))
    assert [one.reactions for one in shown] == [[], []]


@pytest.mark.parametrize(
    "text",
    [
        "‘Choir at 7’에 👀 표시함",
        "“Choir at 7”に👀でリアクションしました",
        "Reagerede 👀 på „Choir at 7“",
    ],
)
def test_an_emoji_beside_a_quote_is_a_reaction_in_any_language(text: str) -> None:
    shown = bubbles(thread((OUT, "Choir at 7"), (IN, text)))
    assert [one.reactions for one in shown] == [["👀"]]


def test_the_same_emoji_again_takes_a_reaction_in_an_unknown_language_back() -> None:
    given, taken_back = "‘Choir at 7’에 👀 표시함", "‘Choir at 7’에서 👀 표시 제거함"
    shown = bubbles(thread((OUT, "Choir at 7"), (IN, given), (IN, taken_back)))
    assert [one.reactions for one in shown] == [[]]


def test_an_emoji_beside_other_words_in_quotes_stays_a_text() -> None:
    shown = bubbles(thread((OUT, "Choir at 7"), (IN, "She said 😂 “Choir at 8”")))
    assert [(one.tapback, one.reactions) for one in shown] == [(None, []), (None, [])]


@pytest.mark.parametrize("text", ["Removed 👀 from “Hi”", "A retiré 👀 de « Hi »"])
def test_an_emoji_is_taken_back(text: str) -> None:
    shown = bubbles(thread((OUT, "Hi"), (IN, "Reacted 👀 to “Hi”"), (IN, text)))
    assert [one.reactions for one in shown] == [[]]
