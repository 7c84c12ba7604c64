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
