"""Cells written by hand or damaged by programs: words beside numbers, quotes, lost letters."""

from __future__ import annotations

import pytest

from koinonia import phone
from tests.koinonia.member_import.reading import people_in, remarks_in, rows_of


@pytest.mark.parametrize(
    "cell",
    ["no text 312-555-0101", "312 555 0101 (no texts)", "312-555-0101 do not text", "DNC 3125550101",
     "(312) 555-0101 - don't text", "312-555-0101 opted out", "3125550101 STOP",
     "312 555 0101 (do not call)", "no sms: 312 555 0101", "NO TEXTING 312 555 0101"],
)  # fmt: skip
def test_a_refusal_beside_a_number_opts_it_out(cell: str) -> None:
    (row,) = rows_of(f"first_name,phone\nAnn,{cell}\n")
    assert (row.opted_out, row.phone) == (True, "+13125550101")
    assert "opt-out" in row.remarks[0]


@pytest.mark.parametrize("cell", ["312 555 0101 no", "no 312 555 0101", "text no 312 555 0101"])
def test_a_no_beside_a_number_is_not_a_kind_of_phone(cell: str) -> None:
    with pytest.raises(phone.UnusableNumberError, match="no"):
        phone.numbers_in(cell, "US")


@pytest.mark.parametrize(
    "cell",
    ["Cell no. 312 555 0101", "Tel no: (312) 555-0101", "312·555·0101", "312_555_0101",
     "312•555•0101", "312~555~0101", "13125550101.00"],
)  # fmt: skip
def test_more_notations_of_a_number_are_read(cell: str) -> None:
    assert phone.numbers_in(cell, "US") == ["+13125550101"]


@pytest.mark.parametrize("cell", ["N/A", "#N/A", "NULL", "None", "unknown", "nan"])
def test_words_for_a_missing_number_lead_to_the_next_column(cell: str) -> None:
    text = f"first_name,mobile,home phone\nAnn,{cell},3125550101\n"
    assert people_in(text) == [("Ann", "", "+13125550101")]


def test_blanks_before_a_quoted_cell_are_ignored() -> None:
    text = '"first_name", "last_name", "phone"\nAnn, "Lee, Jr.", "3125550101"\n'
    assert people_in(text) == [("Ann", "Lee, Jr.", "+13125550101")]


@pytest.mark.parametrize(
    ("spoilt", "part"),
    [("JosÃ©", "'José'"), ("ZoÃ« MarÃ©e", "'Zoë Marée'"), ("Jos\ufffd", "lost"), ("Oâ€™Brien", "'O’Brien'")],
)  # fmt: skip
def test_names_in_a_wrong_encoding_are_reported(spoilt: str, part: str) -> None:
    assert part in remarks_in(f"first_name,phone\n{spoilt},3125550101\n")[0][1]


@pytest.mark.parametrize("name", ["José", "Ærø", "Łukasz", "Ñandú", "Ðorð", "Ünal", "Ólafur", "Ã"])
def test_correct_names_are_not_reported(name: str) -> None:
    assert remarks_in(f"first_name,phone\n{name},3125550101\n") == []


@pytest.mark.parametrize(
    "name",
    ["The Smith Family", "Smith Household", "John Smith; Mary Smith", "The Smiths",
     "Ann Lee\nBen Lee"],
)  # fmt: skip
def test_a_household_or_a_couple_in_one_cell_is_rejected(name: str) -> None:
    assert people_in(f'name,phone\n"{name}",3125550101\n') == []


@pytest.mark.parametrize("date", ["0000-00-00", "00/00/0000", "0000-00-00 00:00:00", "  /  /    "])
@pytest.mark.parametrize("column", ["SMS Opt-In Date", "Opt Out Date"])
def test_a_date_of_zeros_is_empty(column: str, date: str) -> None:
    (row,) = rows_of(f"first_name,phone,{column}\nAnn,3125550101,{date}\n")
    assert (row.opted_out, row.person is not None, row.remarks) == (False, True, [])


def test_the_note_of_a_vcard_can_refuse_texts() -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nN:Lee;Ann;;;\nTEL:3125550101\nNOTE:Do not text\nEND:VCARD\n"
    (row,) = rows_of(card)
    assert (row.opted_out, row.phone) == (True, "+13125550101")


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [("3.125550101E9", "+13125550101"), ("3,125550101E+09", "+13125550101"),
     ("001 312 555 0101", "+13125550101"), ("0044 7400 123456", "+447400123456"),
     ("(312)\u202f555\u20090101", "+13125550101"), ("핸드폰 312-555-0101", "+13125550101"),
     ("home 708-555-0102; cell 312-555-0101", "+13125550101 +17085550102"),
     ("H: 708-555-0102 C: 312-555-0101", "+13125550101 +17085550102"),
     ("708-555-0102 (h) 312-555-0101 (c)", "+13125550101 +17085550102"),
     ("312-555-0101 / 708-555-0102", "+13125550101 +17085550102")],
)  # fmt: skip
def test_the_mobile_number_of_a_cell_comes_first(cell: str, numbers: str) -> None:
    assert phone.numbers_in(cell, "US") == numbers.split()


@pytest.mark.parametrize(
    ("cell", "part"),
    [("3.13E+09", "cut off"), ("312-555-0101x12", "extension"), ("see above", "'see above' is not"),
     ("312-555-0101 708-555-0102", "comma")],
)  # fmt: skip
def test_a_cell_without_a_clear_number_is_named(cell: str, part: str) -> None:
    with pytest.raises(phone.UnusableNumberError, match=part):
        phone.numbers_in(cell, "US")


def test_words_in_place_of_a_mobile_number_lead_to_the_next_column() -> None:
    text = "first_name,mobile,home phone\nAnn,no cell,3125550101\nBen,do not text,3125550102\n"
    ann, ben = rows_of(text)
    assert ann.person
    assert ben.person
    assert (ann.opted_out, ben.opted_out) == (False, True)


@pytest.mark.parametrize(
    "column", ["Text #", "Text#", "SMS #", "Text Message #", "Txt #", "Cell #", "Phone #", "Tel. #"]
)
def test_a_number_sign_names_a_column_of_numbers(column: str) -> None:
    assert people_in(f"first_name,{column}\nAnn,312-555-0101\n") == [("Ann", "", "+13125550101")]


@pytest.mark.parametrize("cell", ["no", "STOP", "do not text"])
def test_a_refusal_in_a_column_of_text_numbers_opts_out(cell: str) -> None:
    (row,) = rows_of(f"first_name,Text #,Home Phone\nAnn,{cell},312-555-0101\n")
    assert (row.phone, row.opted_out) == ("+13125550101", True)


@pytest.mark.parametrize("column", ["# of texts", "# Texts Sent"])
def test_a_column_that_counts_texts_says_nothing_about_consent(column: str) -> None:
    (row,) = rows_of(f"first_name,phone,{column}\nAnn,312-555-0101,0\n")
    assert (row.opted_out, row.person is not None) == (False, True)
