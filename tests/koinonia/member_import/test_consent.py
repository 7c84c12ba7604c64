"""Consent values: opted-out people get no texts, and unclear values reject the row."""

from __future__ import annotations

import pytest
from django.utils import timezone

from delivery.models import OptOut
from delivery.opt_outs import opt_out
from koinonia.member_import.file import import_members
from koinonia.member_import.table import UnusableFileError
from koinonia.models import Church
from tests.koinonia.member_import.reading import rows_of

OUT_COLUMNS = [
    "opted_out", "Opted Out", "OptOut", "opt-out", "SMS Opt Out", "Text Opt-Out", "has_sms_opt_out",
    "Do Not Text", "Do Not Contact", "do_not_call", "DNC", "npsp__Do_Not_Contact__c",
    "SMS_BLACKLISTED", "No SMS", "unsubscribed", "UNSUB_TIME", "Church Life :: Do Not Text",
]  # fmt: skip
MAY_COLUMNS = [
    "Allow SMS?", "SMS Consent", "SMS Opt-In", "Text Opt In", "Text OK", "IsMessagingEnabled",
    "Receive SMS", "general_sms", "Engage SMS Subscribed", "SMS Status", "OK to Text?", "Can Text",
    "Texting Permission", "Church Life :: Text Opt In",
]  # fmt: skip
YES = ["yes", "Y", "TRUE", "t", "1", "x", "✓", "on", "sí", "si", "oui", "ja", " Yes ", "ＹＥＳ"]
NO = ["no", "N", "False", "f", "0", "off", "non", "nein", "NO"]
OUT = [
    "unsubscribed", "Opted out", "opt-out", "STOP", "stopped", "Blocked", "blacklisted",
    "suppressed", "cancelled", "do not text", "Do not contact", "do-not-call", "DNC",
]  # fmt: skip
IN = ["subscribed", "Opted in", "enrolled", "allowed", "Active"]
NEITHER = ["not enrolled", "Pending", "unconfirmed", "non-subscribed", "never"]
DATES = ["2026-01-02", "1/2/2026", "02.01.2026", "2026-01-02 10:11:12", "Jan 2, 2026", "2 Jan 2026"]
UNKNOWN = ["maybe", "?", "ask Ann", "2", "yes/no", "opt", "-", "yess", "unsub", "99/99/2026", "✗"]


def row(column: str, value: str) -> tuple[bool, bool, int]:
    """Return opt-out, acceptance of the person, and the number of remarks."""
    quoted = '"' + value.replace('"', '""') + '"'
    read = rows_of(f'first_name,phone,"{column}"\nAnn,3125550101,{quoted}\n')[0]
    return read.opted_out, read.person is not None, len(read.remarks)


@pytest.mark.parametrize("column", OUT_COLUMNS)
def test_a_yes_in_a_column_of_opt_outs_opts_out(column: str) -> None:
    assert [row(column, value) for value in YES] == [(True, True, 0)] * len(YES)
    assert [row(column, value) for value in NO] == [(False, True, 0)] * len(NO)
    assert [row(column, value) for value in DATES] == [(True, True, 0)] * len(DATES)
    assert row(column, "") == (False, True, 0)


@pytest.mark.parametrize("column", MAY_COLUMNS)
def test_a_no_in_a_column_of_consent_opts_out(column: str) -> None:
    assert [row(column, value) for value in YES] == [(False, True, 0)] * len(YES)
    assert [row(column, value) for value in NO] == [(True, True, 0)] * len(NO)
    assert [row(column, value) for value in DATES] == [(False, True, 0)] * len(DATES)
    assert row(column, " ") == (False, True, 0)


@pytest.mark.parametrize("column", ["opted_out", "Allow SMS?"])
def test_status_words_mean_the_same_in_both_kinds_of_columns(column: str) -> None:
    assert [row(column, value) for value in OUT] == [(True, True, 0)] * len(OUT)
    assert [row(column, value) for value in IN] == [(False, True, 0)] * len(IN)
    assert [row(column, value) for value in NEITHER] == [(False, True, 1)] * len(NEITHER)


@pytest.mark.parametrize("column", ["opted_out", "Allow SMS?"])
@pytest.mark.parametrize("value", UNKNOWN)
def test_an_unknown_value_rejects_the_row_and_is_reported(column: str, value: str) -> None:
    assert row(column, value) == (False, False, 1)
    read = rows_of(f"first_name,phone,{column}\nAnn,3125550101,{value}\n")[0]
    assert repr(value) in read.remarks[0]
    assert column in read.remarks[0]


@pytest.mark.parametrize(
    "column", ["Text Preference", "Wants SMS or not", "Texts: in/out", "Do Not Phone List"]
)
def test_an_unclear_consent_column_rejects_its_rows(column: str) -> None:
    assert row(column, "yes") == row(column, "no") == row(column, "x") == (False, False, 1)
    assert row(column, "unsubscribed") == (True, True, 0)
    assert row(column, "") == (False, True, 0)


@pytest.mark.parametrize(
    "column",
    ["Allow Bulk Email?", "EmailPreference", "HasOptedOutOfEmail", "EMAIL_BLACKLISTED",
     "Email permission status", "receive_email_from_church", "Opt-out of Newsletter Emails",
     "Unlisted", "Sermon Text"],
)  # fmt: skip
def test_columns_about_other_subjects_have_no_effect(column: str) -> None:
    assert row(column, "yes") == row(column, "no") == (False, True, 0)


@pytest.mark.parametrize(
    ("out", "may", "opted_out"),
    [
        ("2026-01-02", "2026-01-03", False),
        ("2026-01-03", "2026-01-02", True),
        ("2026-01-02", "2026-01-02", True),
        ("2026-01-02", "yes", True),
        ("yes", "2026-01-03", True),
        ("03/04/2026", "04/05/2026", False),
        ("03/04/2026", "04/03/2026", True),
        ("no", "no", True),
        ("", "no", True),
    ],
)
def test_any_opt_out_wins_except_over_a_later_opt_in(out: str, may: str, opted_out: bool) -> None:
    read = rows_of(f"first_name,phone,opted_out,sms consent\nAnn,3125550101,{out},{may}\n")[0]
    assert read.opted_out is opted_out


def opted_out_in(church: Church) -> dict[str, str]:
    return dict(OptOut.objects.filter(tenant=church).values_list("number", "source"))


def imported(church: Church, text: str, file_name: str = "") -> None:
    import_members(church, text.encode(), now=timezone.now(), file_name=file_name)


def test_an_opt_out_of_a_file_has_the_source_file(grace: Church) -> None:
    imported(grace, "first_name,phone,opted_out\nAnn,3125550101,yes\nBen,3125550102,no\n")
    assert opted_out_in(grace) == {"+13125550101": "file"}


@pytest.mark.parametrize(
    "text",
    [
        "first_name,phone,opted_out\n,3125550101,yes\n",
        "first_name,phone,opted_out,sms consent\nAnn,3125550101,yes,maybe\n",
        "first_name,phone,opted_out,status\nAnn,3125550101,yes,Inactive\n",
        "first_name,phone,status\nAnn,3125550101,unsubscribed\nAnn,,\n",
    ],
)
def test_an_opt_out_of_a_rejected_row_counts(grace: Church, text: str) -> None:
    imported(grace, text)
    assert list(opted_out_in(grace)) == ["+13125550101"]


def test_an_opt_out_in_another_row_of_the_number_wins(grace: Church) -> None:
    imported(grace, "first_name,phone,opted_out\nAnn,3125550101,yes\nTim,3125550101,no\n")
    imported(grace, "first_name,phone,opted_out\nAnn,3125550101,no\n")
    assert list(opted_out_in(grace)) == ["+13125550101"]


def test_a_file_never_clears_an_opt_out(grace: Church) -> None:
    opt_out(grace.pk, "+13125550101", OptOut.Source.KEYWORD, now=timezone.now())
    imported(grace, "first_name,phone,opted_out,sms consent\nAnn,3125550101,no,yes\n")
    assert opted_out_in(grace) == {"+13125550101": "keyword"}


NAMES = [
    ("unsubscribed_members_export_0a1b2c.csv", True),
    ("Unsubscribed members.csv", True),
    ("subscribed_members_export_0a1b2c.csv", False),
    ("cleaned_members_export_0a1b2c.csv", False),
    ("nonsubscribed_members_export_0a1b2c.csv", False),
    ("members.csv", False),
]


@pytest.mark.parametrize(("name", "out"), NAMES)
def test_the_name_of_a_file_can_opt_its_people_out(grace: Church, name: str, out: bool) -> None:
    imported(grace, "First Name,Phone Number\nAnn,3125550101\n", file_name=name)
    assert bool(opted_out_in(grace)) is out


def test_a_file_name_with_a_negation_is_rejected(grace: Church) -> None:
    with pytest.raises(UnusableFileError, match="negation"):
        imported(grace, "First Name,Phone\nAnn,3125550101\n", file_name="not unsubscribed.csv")


GONE = [
    ("deceased", "yes", "died"), ("IsDeceased", "TRUE", "died"), ("Date of Death", "3/4/2020", "died"),
    ("npsp__Deceased__c", "true", "died"), ("deceased", "2019-01-02", "died"),
    ("Member Status", "Deceased - Member", "died"), ("InactiveReason", "Deceased", "died"),
    ("archived", "1", "archived"), ("Status", "Inactive", "active"), ("Status", "Archived", "active"),
    ("Active Profile", "No", "active"), ("ActiveRecord", "false", "active"),
    ("RecordStatus", "Inactive", "active"), ("inactive/remove", "x", "active"),
    ("Inactive Date", "2020-01-02", "active"), ("Member Status", "Transferred out 2019", "active"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "sentence"), GONE)
def test_departed_people_are_reported_and_not_imported(
    grace: Church, column: str, value: str, sentence: str
) -> None:
    text = f"first_name,phone,{column}\nAnn,3125550101,{value}\nBen,3125550102,\n"
    report = import_members(grace, text.encode(), now=timezone.now())
    assert (report.created, report.skipped) == (1, 1)
    assert report.errors[0][0] == 2
    assert report.errors[0][1].startswith("Not imported: ")
    assert sentence in report.errors[0][1]


@pytest.mark.parametrize(
    ("column", "value"),
    [("deceased", "no"), ("deceased", "0"), ("Date of Death", "  /  /    "), ("archived", "0"),
     ("deceased", "0000-00-00"), ("Status", "Active"), ("status", "core"), ("Status", "Visitor"),
     ("Active Profile", "Yes"), ("Member Status", "Member")],
)  # fmt: skip
def test_present_people_are_imported(column: str, value: str) -> None:
    assert row(column, value) == (False, True, 0)


def test_an_unknown_value_about_death_rejects_the_row() -> None:
    assert row("deceased", "perhaps") == (False, False, 1)


def test_empty_consent_is_counted_and_reported(grace: Church) -> None:
    text = "first_name,phone,Allow SMS?\nAnn,3125550101,\nBen,3125550102,\nTim,3125550103,yes\n"
    report = import_members(grace, text.encode(), now=timezone.now())
    assert report.created == 3
    assert report.ignored_columns == [
        "Allow SMS? (empty in 2 of the rows: these say nothing, and are imported)"
    ]
