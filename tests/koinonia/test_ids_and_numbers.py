"""Property-based tests of ids and phone numbers."""

from __future__ import annotations

import string

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koinonia import ids
from koinonia.phone import UnusableNumberError, normalise

KEYS = st.integers(0, 2**63 - 1)
LETTERS = st.text(string.ascii_letters + string.digits, max_size=14)
COUNTRIES = st.sampled_from(["US", "GB", "DE", "FR", "AU", "BR", "IN", "NG"])


@given(KEYS)
def test_an_id_decodes_to_its_key_and_is_short(key: int) -> None:
    text = ids.encode(key)
    assert ids.decode(text) == key
    assert 1 <= len(text) <= ids.MAX_LENGTH
    assert text.isascii()
    assert text.isalnum()


@given(KEYS, KEYS)
def test_different_keys_have_different_ids(one: int, other: int) -> None:
    assert (ids.encode(one) == ids.encode(other)) == (one == other)


@given(LETTERS | st.text(max_size=14))
def test_only_the_canonical_spelling_of_an_id_is_accepted(text: str) -> None:
    key = ids.decode(text)
    assert key is None or (ids.encode(key) == text and key < 2**63)


@given(KEYS, LETTERS.filter(bool))
def test_an_id_with_extra_characters_is_rejected(key: int, more: str) -> None:
    text = ids.encode(key) + more
    assert ids.decode(text) != key


@given(st.text(string.ascii_letters + string.digits, min_size=11, max_size=12))
def test_an_id_beyond_the_largest_key_is_rejected(text: str) -> None:
    assert (ids.decode(text) or 0) < 2**63


@given(COUNTRIES, st.data())
def test_normalising_a_number_twice_gives_the_same_e164(country: str, data: st.DataObject) -> None:
    sample = phonenumbers.example_number(country)
    assert sample is not None
    last = data.draw(st.integers(0, 99))
    national = str(sample.national_number)[:-2] + f"{last:02}"
    try:
        number = normalise(national, country)
    except UnusableNumberError:
        return
    assert number.startswith("+")
    assert number[1:].isdecimal()
    assert len(number) <= 16
    assert {normalise(number, other) for other in (country, "US", "DE")} == {number}


@given(st.text(max_size=60) | st.from_regex(r"\+?[0-9 ()./-]{0,45}", fullmatch=True), COUNTRIES)
def test_other_text_is_rejected_with_a_sentence(raw: str, country: str) -> None:
    try:
        number = normalise(raw, country)
    except UnusableNumberError as error:
        sentence = str(error)
    else:
        assert normalise(number, country) == number
        return
    assert sentence.endswith("is not a phone number that can be texted.")
    assert sentence.isprintable()


@pytest.mark.parametrize(
    "written",
    ["(312) 555-0111", "312.555.0111", "+1 312 555 0111", "1-312-555-0111", "tel:+1-312-555-0111"],
)
def test_spellings_of_one_number_are_equal(written: str) -> None:
    assert normalise(written, "US") == "+13125550111"
