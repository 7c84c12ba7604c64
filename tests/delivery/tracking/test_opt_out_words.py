"""Property tests: STOP words count with any decoration, ordinary sentences do not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.opt_outs.words import START_WORDS, STOP_WORDS, requested

WORDS = (*STOP_WORDS, "OPT-OUT", "opt‑out", "Opt_Out")

_ENDS = [
    "", " ", "\n", "\t", "\u00a0", "\u3000", ".", "!", "!!!", "?", "…", ",", ";", "-", "—", "*", "_", "~", "#",
    "/", "\\", "|", "'", '"', "‘", "’", "“", "”", "«", "»", "„", "`", "(", ")", "[", "]", "{", "}", "<", ">", "¡",
    "¿", "。", "、", "！", "。", "\ufeff", "\u200b", "\u200d", "\u200e", "\u202a", "\u2060", "\u2066", "\u00ad",
    "\ufe0f", "\u2800", "\u3164", "🙏", "😂😂", "❤️", "✋🏽", "👨‍👩‍👧", "🇺🇸", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "1️⃣", "🛑", "™", "©", "🩷", "✅ ", " 🤚", "$", "+", "=", "°", "\x00", "\x07",
]  # fmt: skip
_TAILS = [
    "\nSent from my iPhone", "\r\n\r\nGet Outlook for Android", "\u2028Thank you", "\n\n🙏", "\rAnn Smith",
    "\nI do not want this any more.",
]  # fmt: skip


def _fullwidth(word: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)


def _bold(word: str) -> str:
    return "".join(chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else c for c in word.upper())


DECORATIONS = (
    [lambda word, end=end: end + word for end in _ENDS]
    + [lambda word, end=end: word + end for end in _ENDS]
    + [lambda word, end=end: f" {end}{word} {end}\n" for end in _ENDS]
    + [lambda word, tail=tail: word + tail for tail in _TAILS]
    + [lambda word, tail=tail: f"“{word}!”{tail}" for tail in _TAILS]
    + [str.lower, str.title, str.swapcase, _fullwidth, _bold]
    + [lambda word, mark=mark: mark.join(word) for mark in "\u200b\u200c\u2060\u00ad"]
    + [lambda word, gap=gap: word.replace(" ", gap) for gap in ("  ", "\u00a0", "\u2009\t")]
)


def test_there_are_two_hundred_decorations() -> None:
    assert len(DECORATIONS) >= 200


@pytest.mark.parametrize("word", WORDS)
def test_a_stop_word_counts_with_any_decoration(word: str) -> None:
    missed = [dressed for dress in DECORATIONS if requested(dressed := dress(word)) != "STOP"]
    assert not missed


@pytest.mark.parametrize("word", START_WORDS)
def test_a_start_word_counts_with_any_decoration(word: str) -> None:
    assert not [dressed for dress in DECORATIONS if requested(dressed := dress(word)) != "START"]


def test_an_invisible_letter_after_a_sign_is_no_part_of_the_word() -> None:
    assert requested("STOP™\u3164") == "STOP"


@given(st.sampled_from(WORDS), st.lists(st.sampled_from(_ENDS), max_size=6), st.booleans())
def test_a_stop_word_counts_with_several_decorations(word: str, ends: list[str], low: bool) -> None:
    half = len(ends) // 2
    dressed = "".join(ends[:half]) + (word.lower() if low else word) + "".join(ends[half:])
    assert requested(dressed) == "STOP"


_SENTENCES = [
    "we must {} for bread", "Please {} the meeting on Sunday", "Can you {} by six?", "I will {} tonight",
    "Don't {} believing", "They {} me every time", "The {} of the road", "{} worrying about it",
    "Did Tim {} the choir?", "{} the car at the corner", "Let us {} and pray", "Ann said: {} it",
    "why {}", "{} by the office", "It is the {}.", "Never {}!", "My {} is late", "{} of the month is fine",
    "Ok {}", "No {}", "{} 5", "2 {}", "We need to {}, then go home", "“{}” is a fine song",
    "See the {} sign?\nIt is new.", "Yes\n{} later", "He would {} if he could", "please {}", "{} please",
    "{} it", "bus {}", "{} & go", "Shall we {} at the mall\nor not?", "The {}", "{}s", "pit{}", "non{}",
    "{} or start?", "What does {} mean", "Reply {} to opt out", "{} sign", "{} 🙏 the car", "to {}",
    "{} on Monday", "a{}", "{}ed", "{} / start", "Bless you and {} worrying",
]  # fmt: skip
SENTENCES = [
    sentence.format(word.lower())
    for sentence, word in itertools.product(_SENTENCES, STOP_WORDS)
]  # fmt: skip


def test_ordinary_sentences_are_not_a_stop() -> None:
    assert len(SENTENCES) >= 500
    assert not [sentence for sentence in SENTENCES if requested(sentence)]


@pytest.mark.parametrize("text", ["help", "INFO", "yes", "no", "", "🙏", "...", "\n", "x" * 5000])
def test_help_and_other_words_are_not_requests(text: str) -> None:
    assert requested(text) == ""


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert requested(text) in {"", "STOP", "START"}


def test_words_of_a_tenant_count_in_addition_to_the_fixed_words() -> None:
    own = ("ALTO", "PARAR", "ARRET")
    assert [requested(text, own=own) for text in ("¡Alto!", "parar.", "Arrêt", "stop", "baja", "alto ahí")] == [
        "STOP", "STOP", "STOP", "STOP", "", "",
    ]  # fmt: skip
    assert requested("alto") == ""


def test_an_empty_word_of_a_tenant_matches_no_text() -> None:
    assert requested("Hello", own=("", " ", "🙏")) == ""


@pytest.mark.parametrize(
    "text",
    ["STOP STOP", "stop stop stop", "Stop!! Stop!!", "STOP.\nSTOP.", "stop 🙏 stop", "un-subscribe", "Un Subscribe",
     "unsubscribe unsubscribe", "STOP-ALL"],
)  # fmt: skip
def test_a_repeated_or_spelled_out_stop_word_counts(text: str) -> None:
    assert requested(text) == "STOP"


@pytest.mark.parametrize(
    "text", ["stop and stop", "bus stop bus stop", "start stop now", "no no", "🙏 🙏"]
)
def test_repeated_other_words_do_not_count(text: str) -> None:
    assert requested(text) == ""


@pytest.mark.parametrize(
    ("own", "text"),
    [("ÇIKIŞ", "çıkış"), ("Çıkış", "CIKIS"), ("İPTAL", "iptal"), ("WYŁĄCZ", "wylacz"), ("DỪNG", "dung"),
     ("ΣΤΟΠ", "στοπ"), ("СТОП", "Стоп."), ("توقف", "تَوَقَّف"), ("停止", "「停止」。"), ("BASTA YA", "basta-ya")],
)  # fmt: skip
def test_words_of_a_tenant_count_in_any_language(own: str, text: str) -> None:
    assert requested(text, own=[own]) == "STOP"
