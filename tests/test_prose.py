"""The comments and docstrings are as plain as those of the projects that this one stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.prose import Text, count, texts_below

ROOT = Path(__file__).parent.parent


def text(words: str) -> Text:
    return Text(Path("example.py"), 1, words, documents_function=True)


@pytest.mark.parametrize("package", ["delivery", "httpopt", "koinonia", "realtime", "throttling"])
def test_docstrings_begin_with_a_verb_and_few_texts_carry_a_mark(package: str) -> None:
    found = count(texts_below(ROOT / package))
    assert found.functions > 50
    assert found.verb_share >= 0.9, f"{found}; see python -m tests.support.prose --list {package}"
    assert found.mark_share <= 0.08, f"{found}; see python -m tests.support.prose --list {package}"


def test_the_tests_are_written_as_plainly() -> None:
    found = count(texts_below(ROOT / "tests"))
    assert found.verb_share >= 0.8, f"{found}; see python -m tests.support.prose --list tests"
    assert found.mark_share <= 0.1, f"{found}; see python -m tests.support.prose --list tests"


@pytest.mark.parametrize(
    "words",
    [
        "By key, so that nobody waits for one who waits for him.",
        "What one answer says about more than its own message.",
        "A row of which nobody knows whether the provider has it.",
    ],
)
def test_a_sentence_of_the_former_language_is_noticed(words: str) -> None:
    assert text(words).marks
    assert not text(words).begins_with_verb


@pytest.mark.parametrize(
    "words",
    [
        "Lock churches in primary-key order, so that two requests cannot deadlock.",
        "Applies holds and rate limits that concern the account or the sending number.",
    ],
)
def test_a_plain_sentence_passes(words: str) -> None:
    assert not text(words).marks
    assert text(words).begins_with_verb
