"""Spellings of a name: storage in one spelling, search by all."""

from __future__ import annotations

import pytest

from koinonia.names import comparison_key, search_key, tidy


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Ann \t Marie ", "Ann Marie"),
        ("\u202dAnn\u202c", "Ann"),
        ("Jose\u0301", "José"),
        ("\u3164", ""),
        ("\u200b\u2800", ""),
        ("Ann\nSmith", "Ann Smith"),
    ],
)
def test_a_clean_name_is_one_visible_line(written: str, kept: str) -> None:
    assert tidy(written) == kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Prayer Team", "prayer  team"),
        ("Choir", "CHOIR\u200b"),
        ("Straße", "STRASSE"),
        ("Ｙｏｕｔｈ", "youth"),
        ("Cho\ufe0fir", "choir"),
    ],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


def test_names_with_different_accents_differ() -> None:
    assert comparison_key("Jose") != comparison_key("José")


@pytest.mark.parametrize(
    "name",
    ["Ann Lee", "O'Brien-SMITH", "`Bob`  &  Co", "  ", "", "J. R. (Jay) 2nd", "~!@#$%^*_+=[]{}|"],
)
def test_plain_names_have_the_key_that_other_names_have(name: str) -> None:
    # The invisible mark takes the long way, and is left out.
    assert search_key(name) == search_key(f"{name}\u200b")
