"""The normalisation of phone numbers in the import and the API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from koinonia.models import Church
from koinonia.phone import UnusableNumberError, is_missing, normalise, numbers_in

ANN, BEN = "+13125550101", "+13125550102"

ONE = [
    ("\u202d+1 312 555 0101\u202c", "US", ANN),
    ("\u200e(312)\u00a0555-0101\ufeff", "US", ANN),
    ("３１２ ５５５ ０１０１", "US", ANN),
    ("312\u2011555\u20110101", "US", ANN),
    ('="3125550101"', "US", ANN),
    ("'3125550101", "US", ANN),
    ('"312-555-0101"', "US", ANN),
    ("tel:+1-312-555-0101", "US", ANN),
    ("13125550101.0", "US", ANN),
    ("(312) 555-0101 cell", "US", ANN),
    ("Cell: 312-555-0101", "US", ANN),
    ("312-555-0101 (mobile)", "US", ANN),
    ("(m) 312.555.0101", "US", ANN),
    ("home 312 555 0101", "US", ANN),
    ("+52 1 55 1234 5678", "US", "+525512345678"),
    ("+5215512345678", "MX", "+525512345678"),
    ("044 55 1234 5678", "MX", "+525512345678"),
    ("045 55 1234 5678", "MX", "+525512345678"),
    ("01 55 1234 5678", "MX", "+525512345678"),
    ("521 55 1234 5678", "MX", "+525512345678"),
    ("+44 (0)7911 123456", "US", "+447911123456"),
    ("+44 07911 123456", "US", "+447911123456"),
    ("0151/12345678", "DE", "+4915112345678"),
    ("33612345678", "FR", "+33612345678"),
]


@pytest.mark.parametrize(("written", "country", "number"), ONE)
def test_notations_of_people_and_spreadsheets_are_normalised(
    written: str, country: str, number: str
) -> None:
    assert normalise(written, country) == number
    assert numbers_in(written, country) == [number]


@pytest.mark.parametrize(
    "written",
    [
        "312-555-0101/312-555-0102",
        "312-555-0101, 312-555-0102",
        "312-555-0101 cell; 312-555-0102 home",
        "312-555-0101 or 312-555-0102",
        "312-555-0101 ::: 312-555-0102",
        "312-555-0101\n312-555-0102",
        "312-555-0101 & 312-555-0102 & 312 555 0101",
    ],
)
def test_two_numbers_in_a_cell_are_both_returned(written: str) -> None:
    assert numbers_in(written, "US") == [ANN, BEN]
    with pytest.raises(UnusableNumberError, match=r"is not a phone number|two numbers"):
        normalise(written, "US")


REFUSED = [
    ("3.13E+10", "cut off digits"),
    ("3,1255501E9", "cut off digits"),
    ("312-555-0101 x5", "extension"),
    ("tel:+1-312-555-0101;ext=5", "extension"),
    ("312-555-0101 ext. 12", "extension"),
    ("fax 312-555-0101", "fax"),
    ("312-555-0101 do not text", "do not"),
    ("312-555-0101; STOP", "stop"),
    ("312-555-0101 (wife)", "wife"),
    ("312 555 0101 312 555 0102", "comma"),
    ("555-0101", "'555-0101'"),
    ("nonsense", "nonsense"),
    ("3125550101" * 50, "too long"),
]


@pytest.mark.parametrize(("written", "reason"), REFUSED)
def test_an_error_names_the_reason(written: str, reason: str) -> None:
    with pytest.raises(UnusableNumberError, match=reason) as refused:
        numbers_in(written, "US")
    assert str(refused.value).endswith("is not a phone number that can be texted.")


@pytest.mark.parametrize("cell", ["", " ", "0", "   -   -    ", "( ) -", "000-000-0000", "\u200b"])
def test_a_placeholder_is_not_a_number(cell: str) -> None:
    assert is_missing(cell)


@given(st.text(max_size=500))
def test_any_cell_is_normalised_or_rejected_with_a_sentence(cell: str) -> None:
    try:
        told, numbers = "", numbers_in(cell, "US")
    except UnusableNumberError as error:
        told, numbers = str(error), []
    assert told.isprintable()
    assert bool(told) != (1 <= len(numbers) <= 5)


@pytest.mark.parametrize(
    ("written", "status"),
    [("\u202d+1 312 555 0101\u202c", 201), ("+52 1 55 1234 5678", 201), ("312-555-0101 cell", 201),
     ("312-555-0101 wife", 400), ("3.13E+10", 400), ("312-555-0101/312-555-0102", 400)],
)  # fmt: skip
def test_the_api_normalises_numbers_too(
    owner: APIClient, grace: Church, written: str, status: int
) -> None:
    body = {"first_name": "Ann", "phone": written}
    answer = owner.post("/api/v1/churches/grace/members/", body, format="json")
    assert (answer.status_code, list(answer.json().get("errors", []))) == (
        status, ["phone"] if status == 400 else []
    )  # fmt: skip
