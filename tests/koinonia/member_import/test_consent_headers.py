"""Headers of consent columns: understood by their words, or unclear and rejecting the row."""

from __future__ import annotations

import pytest

from tests.koinonia.member_import.reading import rows_of


def row(column: str, value: str) -> tuple[bool, bool]:
    """Return opt-out and acceptance of the person."""
    read = rows_of(f'first_name,phone,"{column}"\nAnn,3125550101,"{value}"\n')[0]
    return read.opted_out, read.person is not None


@pytest.mark.parametrize(
    "column",
    ["Do not contact (SMS)", "Do Not Contact by Text", "Don't text", "Don’t text me",
     "Do Not Send Text Messages", "Do Not Receive SMS", "Opt out (SMS)", "SMS_OPT_OUT_AT",
     "opt_out_sms", "Opted-out of text messages", "Opt-Out Status", "Opted Out On", "is_opt_out",
     "Global Opt Out", "Mobile Opt-Out", "Exclude from Texts", "Blocked", "Blacklisted", "STOP",
     "Unsubscribe", "Unsubscribed At", "SMS Unsubscribe", "Texts stopped", "Refuses texts",
     "SMS declined", "Consent revoked", "Suppressed", "DND", "Do Not Disturb", "SMS disabled",
     "Removed from texts", "Never text", "Wants no texts", "No Contact", "HasOptedOutOfSMS__c",
     "pkg__SMSOptOut__c", "Privacy: Do not SMS", "Check if you do NOT want texts"],
)  # fmt: skip
def test_a_yes_opts_out_in_every_wording(column: str) -> None:
    assert row(column, "yes") == (True, True)
    assert row(column, "2026-01-02") == (True, True)
    assert row(column, "no") == (False, True)
    assert row(column, "") == (False, True)
    assert row(column, "perhaps") == (False, False)


@pytest.mark.parametrize(
    "column",
    ["SMS Opt-In Date", "SMS opt in at", "Opt-in Date", "Mobile Opt-In", "Text me", "Text?", "TXT",
     "Txt Msgs OK", "May we text you?", "Can we contact you by text?", "Contact by SMS",
     "Would you like to receive text messages?", "Do you consent to receive text messages?",
     "Consent to text :: Consent to text", "I agree to receive SMS", "Permission to contact",
     "Consent", "Consent Given", "GDPR Consent", "Marketing Consent", "Subscribed",
     "Subscription Status", "SMS Subscription", "SMS Consent Status", "Send texts", "Textable",
     "Contactable by text", "Text reminders", "Allow Contact", "Cell OK to text", "SMS Marketing"],
)  # fmt: skip
def test_a_no_opts_out_in_every_wording(column: str) -> None:
    assert row(column, "no") == (True, True)
    assert row(column, "Unsubscribed") == (True, True)
    assert row(column, "yes") == (False, True)
    assert row(column, "") == (False, True)
    assert row(column, "perhaps") == (False, False)


@pytest.mark.parametrize(
    "column",
    ["SMS tilladt", "Ingen SMS", "Emergency Texts", "SMS List",
     "Mobile Status", "Opted In/Out of Potluck", "Subscribed/Unsubscribed SMS", "TCPA"],
)  # fmt: skip
def test_yes_and_no_under_an_unclear_header_reject_the_row(column: str) -> None:
    assert row(column, "yes") == row(column, "no") == (False, False)
    assert row(column, "unsubscribed") == (True, True)
    assert row(column, "") == (False, True)


@pytest.mark.parametrize(
    ("column", "value"),
    [("SMS Carrier", "Verizon"), ("Texts Sent", "1"), ("Last SMS", "2026-01-02"),
     ("Text Group", "Youth"), ("Photo Consent", "no"), ("Phone No.", ""), ("Home Phone No", "yes"),
     ("May", "0"), ("Can drive", "no"), ("Newsletter Subscribed", "no"), ("Disabled", "yes"),
     ("Bus Stop", "yes"), ("Sermon Text", "no"), ("Receives Statement", "no"), ("No", "1"),
     ("Email Opt Out", "yes"), ("Medical Consent", "no"), ("Opt-in Source", "Website")],
)  # fmt: skip
def test_columns_about_other_subjects_reject_no_row(column: str, value: str) -> None:
    assert row(column, value) == (False, True)


@pytest.mark.parametrize("column", ["Communication preferences", "Preferred Contact Method"])
def test_a_preference_without_texts_rejects_the_row(column: str) -> None:
    assert row(column, "Text") == row(column, "Email; SMS") == row(column, "") == (False, True)
    assert row(column, "Do not text") == row(column, "No texts please") == (True, True)
    assert row(column, "No contact") == (True, True)
    assert row(column, "Email only") == row(column, "None") == row(column, "no") == (False, False)
    assert row(column, "Email, no calls, no texts") == (True, True)


@pytest.mark.parametrize("column", ["Tags", "Groups", "Notes", "Custom 7", "Alert"])
def test_a_tag_or_note_that_refuses_texts_opts_out(column: str) -> None:
    for value in ("Do Not Text", "Choir; DO NOT TEXT" if column == "Tags" else "No texts, please",
                  "Don't text me", "SMS opt-out", "Do not contact"):  # fmt: skip
        assert row(column, value) == (True, True), value
    assert row(column, "Text team") == row(column, "Contact Ben") == (False, True)


def test_a_reason_to_leave_opts_out() -> None:
    assert row("Unsubscribe Reason", "Too many") == row("Opt-Out Reason", "moved") == (True, True)
    assert row("Unsubscribe Reason", "n/a") == row("Opt-Out Reason", "") == (False, True)


def test_a_column_named_sms_can_hold_yes_and_no() -> None:
    text = "first_name,mobile,SMS\nAnn,3125550101,no\nBen,3125550102,yes\nTim,3125550103,0\n"
    ann, ben, tim = rows_of(text)
    assert (ann.opted_out, ann.phone) == (True, "+13125550101")
    assert (ben.opted_out, ben.phone) == (False, "+13125550102")
    assert (tim.opted_out, tim.phone) == (True, "+13125550103")
