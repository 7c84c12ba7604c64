"""CSV records across lines: a line of a broken record never becomes a person."""

from __future__ import annotations

import csv
from io import StringIO
from random import Random
from typing import Literal
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koinonia.member_import.csv_records import Lines
from tests.koinonia.member_import.reading import people_in, remarks_in

HEADER = "first_name,last_name,phone,groups,notes\n"
ANN = ("Ann", "Lee", "+13125550101")
BEN = ("Ben", "Li", "+13125550102")
NOTES = "\n".join(
    ["Visited in May."] * 5 + ["See,also,(708) 555-0123,Youth"] + ["Bakes bread."] * 5
)


def test_a_note_of_eleven_lines_is_one_cell() -> None:
    content = f'{HEADER}Ann,Lee,3125550101,Choir,"{NOTES}"\nBen,Li,3125550102,,\n'
    assert people_in(content) == [ANN, BEN]
    assert remarks_in(content) == []


def test_a_note_of_a_thousand_lines_is_one_cell() -> None:
    content = f'{HEADER}Ann,Lee,3125550101,Choir,"{NOTES * 100}"\nBen,Li,3125550102,,\n'
    assert people_in(content) == [ANN, BEN]


BROKEN_NOTES = [
    f'Ann,Lee,3125550101,Choir,"{NOTES}',
    f'Ann,Lee,3125550101,Choir,"{NOTES}" x',
    f'Ann,Lee,3125550101,Choir"{NOTES}"',
    f'Ann,Lee,3125550101,Choir,x "{NOTES}" y',
    f'Ann,Lee,"{NOTES}"3125550101,Choir,',
    f'"{NOTES}"Ann,Lee,3125550101,Choir,',
    f'Ann,Lee,3125550101,Choir,"a ""quoted" word{NOTES}"',
]


@pytest.mark.parametrize("record", BROKEN_NOTES)
def test_lines_of_a_broken_record_are_rejected(record: str) -> None:
    content = f"{HEADER}Ben,Li,3125550102,,\n{record}\n"
    assert people_in(content) == [BEN]
    remarks = remarks_in(content)
    assert remarks[0][0] == 3
    assert "quotes" in remarks[0][1]


def test_the_report_names_the_lines_of_a_broken_record() -> None:
    content = f'{HEADER}Ann,Lee,3125550101,Choir,"{NOTES}" x\nBen,Li,3125550102,,\n'
    assert people_in(content) == [BEN]
    assert "Lines 2 to 12 are left out" in remarks_in(content)[0][1]


def test_lines_of_a_note_without_its_first_quote_are_rejected() -> None:
    content = (
        f'{HEADER}Ben,Li,3125550102,,\nAnn,Lee,3125550101,Choir,{NOTES}"\nZoë,Day,3125550103,,\n'
    )
    assert "+17085550123" not in {number for _, _, number in people_in(content)}
    assert "Lines 4 to 12 are left out" in remarks_in(content)[0][1]


ONE_LINE_SLIPS = [
    '"Never closed,Roe,3125550109,Choir,',
    "Bob 6'2\",Roe,3125550109,Choir,",
    'Text"after,"quotes" go on,3125550109,,',
]


@pytest.mark.parametrize("line", ONE_LINE_SLIPS)
def test_a_typo_within_one_line_rejects_only_that_line(line: str) -> None:
    content = f'{HEADER}Ann,Lee,3125550101,Choir,\n{line}\n"Ben","Li",3125550102,,\n'
    assert people_in(content) == [ANN, BEN]
    assert [at for at, _ in remarks_in(content)] == [3]


def test_line_numbers_match_the_file() -> None:
    content = HEADER + '"Ann\r\nMarie",Lee,3125550101,,\r\n\r\nA,B,bad,,\rBen,Li,3125550102,,\r\n'
    assert [at for at, _ in remarks_in(content)] == [5]
    assert people_in(content) == [("Ann Marie", "Lee", "+13125550101"), BEN]


def test_missing_cells_at_the_end_are_empty() -> None:
    content = f"{HEADER}Ann,Lee,3125550101\nBen,Li,3125550102,Choir\n"
    assert people_in(content) == [ANN, BEN]
    assert remarks_in(content) == []


def test_empty_cells_beyond_the_header_are_ignored() -> None:
    content = f"{HEADER}Ann,Lee,3125550101,,,,,\nBen,Li,3125550102,,, ,\t,,\n"
    assert people_in(content) == [ANN, BEN]


def test_a_value_beyond_the_header_is_rejected() -> None:
    remarks = remarks_in(f"{HEADER}Ann,Lee,3125550101,,,,x\n")
    assert remarks[0][0] == 2
    assert "columns" in remarks[0][1]


EVIL = "See,also,(708) 555-0123,Youth"
LINES = st.sampled_from(
    [EVIL, "", "plain", '"', "a;b", 'say "hi"', "x,y", EVIL + ",", "Zoë\t|", "'"]
)
CELL = st.lists(LINES, min_size=1, max_size=6).map("\n".join)
PEOPLE = [("Ann", "Lee", "3125550101"), ("Ben", "Li", "3125550102"), ("Zoë", "Day", "3125550103")]
NUMBERS = {f"+1{number}" for _, _, number in PEOPLE}


def written(notes: list[str], at: int, delimiter: str, quoting: int, end: str) -> str:
    """Return a CSV file of the people, each with a note in column ``at``."""
    style: Literal[0, 1] = csv.QUOTE_ALL if quoting else csv.QUOTE_MINIMAL
    rows = [("first name", "last name", "mobile"), *PEOPLE]
    lines = []
    for row, note in zip(rows, ["notes", *notes], strict=True):
        line = StringIO(newline="")
        # CR LF as the line end, so that the writer quotes both characters.
        csv.writer(line, delimiter=delimiter, quoting=style, lineterminator="\r\n").writerow(
            [*row[:at], note, *row[at:]]
        )
        lines.append(line.getvalue().removesuffix("\r\n") + end)
    return "".join(lines)


FILES = {
    "notes": st.lists(CELL, min_size=3, max_size=3),
    "at": st.integers(0, 3),
    "delimiter": st.sampled_from(",;\t|"),
    "quoting": st.integers(0, 1),
    "end": st.sampled_from(["\n", "\r\n", "\r"]),
}


@settings(max_examples=300, deadline=None)
@given(**FILES)
def test_quoted_text_stays_in_its_cell(**file: object) -> None:
    content = written(**file)  # type: ignore[arg-type]
    assert people_in(content) == [(first, last, f"+1{number}") for first, last, number in PEOPLE]
    assert remarks_in(content) == []


@settings(max_examples=600, deadline=None)
@given(seed=st.integers(0, 2**32), drops=st.integers(1, 6), **FILES)
def test_a_damaged_record_never_adds_a_person(seed: int, drops: int, **file: object) -> None:
    content = written(**file)  # type: ignore[arg-type]
    chance = Random(seed)
    header, _, rest = content.partition(str(file["end"]))
    letters = list(rest)
    for _ in range(drops):
        delimiters = [at for at, letter in enumerate(letters) if letter == file["delimiter"]]
        if delimiters:
            letters[chance.choice(delimiters)] = ""
    mixed = "".join(
        chance.choice(["\n", "\r\n", "\r"]) if letter in "\r\n" else letter for letter in letters
    )
    found = {number for _, _, number in people_in(f"{header}{file['end']}{mixed}")}
    assert found <= NUMBERS


@pytest.mark.parametrize("empty", ["\n", "\r\n", " \n", ",,,\n", "\t\n"])
def test_megabytes_of_empty_lines_are_read_quickly(empty: str) -> None:
    with mock.patch("csv.reader", wraps=csv.reader) as made:
        lines = Lines(HEADER + empty * 500_000 + '"a",b').records(",")
        assert [record.line for record in lines] == [1, 500_002]
    assert made.call_count == 1


def test_many_unmatched_quotes_are_read_quickly() -> None:
    lines = ['"Never closed,Roe,3125550109,Choir,'] * 2001
    with mock.patch("csv.reader", wraps=csv.reader) as made:
        remarks_in(HEADER + "\n".join(lines))
    assert made.call_count < 2001 * 110
