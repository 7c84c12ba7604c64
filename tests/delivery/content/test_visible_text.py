"""Texts are stored in their visible form: canonical, and without invisible control characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.content.visible_text import clean, is_blank


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Jose\u0301", "José"),
        ("line one\r\nline two\rthree", "line one\nline two\nthree"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ufeffStart", "Start"),
        ("bell\x07 and nul\x00", "bell and nul"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        # Persian spelling needs a non-joiner inside words, family emoji need a joiner.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧 at 5", "👨\u200d👩\u200d👧 at 5"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("\u200dhello\u200c \u200d", "hello "),
        # The flag of Scotland: a black flag and tags.
        ("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        ("tag alone \U000e0067", "tag alone "),
        ("\u0600\u0661", "\u0600\u0661"),
    ],
)
def test_only_visible_characters_are_kept(written: str, kept: str) -> None:
    assert clean(written) == kept


@pytest.mark.parametrize(
    "written",
    ["", " \n\t", "\u200b", "\u3164", "\u2800 \u115f", "\ufe0f", "\u034f", "\u202e\u2069"],
)
def test_invisible_text_is_blank(written: str) -> None:
    assert is_blank(written)
    assert is_blank(clean(written))


@pytest.mark.parametrize("written", ["a", "。", "👍", "\u0600", "ﷺ"])
def test_visible_text_is_not_blank(written: str) -> None:
    assert not is_blank(written)


@given(st.text())
def test_cleaning_is_canonical_and_idempotent(written: str) -> None:
    once = clean(written)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert is_blank(once) == is_blank(written)
