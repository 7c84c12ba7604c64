from __future__ import annotations

import csv
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from delivery.dead_letters import Filter, dead_letters, discard, explain, export, review
from delivery.models import DeadLetterAction, Message, Outcome
from delivery.providers.telnyx.codes import CODES, EXPLANATIONS, REMEDIES
from delivery.providers.telnyx.simulator.codes import ASYNCHRONOUS
from tests.delivery.dead_letters.conftest import NOW, MakeLetter

pytestmark = pytest.mark.django_db


def test_a_discarded_letter_leaves_the_queue_and_keeps_its_row(
    letter: MakeLetter, support: User
) -> None:
    text = letter()
    assert discard(text, by=support, reason="  The event is over. ", now=NOW)
    text.refresh_from_db()
    assert (text.status, text.discarded_at, text.discarded_reason) == (
        "dead", NOW, "The event is over.",
    )  # fmt: skip
    assert not dead_letters().exists()
    assert DeadLetterAction.objects.get().reason == "The event is over."


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_discard_needs_a_reason(reason: str, letter: MakeLetter) -> None:
    with pytest.raises(ValueError, match="reason"):
        discard(letter(), by=None, reason=reason, now=NOW)
    assert dead_letters().exists()


def test_a_message_outside_the_queue_cannot_be_discarded(letter: MakeLetter) -> None:
    assert not discard(letter("queued"), by=None, reason="Why not", now=NOW)
    assert not DeadLetterAction.objects.exists()


def test_a_review_records_its_user(letter: MakeLetter, support: User) -> None:
    text = letter()
    assert review(text, by=support, now=NOW)
    text.refresh_from_db()
    assert (text.reviewed_by, text.reviewed_at) == (support, NOW)


def test_letters_can_be_chosen_by_status_code_class_and_age(letter: MakeLetter) -> None:
    old = letter(dead_since=NOW - timedelta(days=9), error_code="40310", error_class="permanent")
    unknown = letter("unknown", error_code="answer_lost", error_class="ambiguous")
    chosen = [
        Filter(status="unknown"), Filter(code="40310"), Filter(error_class="ambiguous"),
        Filter(dead_before=NOW - timedelta(days=7)), Filter(dead_after=NOW - timedelta(days=7)), Filter(),
    ]  # fmt: skip
    found = [{row.pk for row in each.apply(dead_letters())} for each in chosen]
    both = {old.pk, unknown.pk}
    assert found == [{unknown.pk}, {old.pk}, {unknown.pk}, {old.pk}, {unknown.pk}, both]


def test_the_export_keeps_the_order_over_its_slices_and_leaves_out_what_was_decided(
    letter: MakeLetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package has a function with the module's name.
    monkeypatch.setattr(sys.modules["delivery.dead_letters.export"], "_READ_SIZE", 2)
    newest_first = [
        letter(dead_since=NOW - timedelta(hours=age)).pk for age in (1, 3, 2, 5, 4)
    ]  # fmt: skip
    newest_first = [newest_first[place] for place in (0, 2, 1, 4, 3)]
    lines = export(dead_letters())
    next(lines)
    seen = [int(next(lines).partition(",")[0])]
    Message.objects.filter(pk=newest_first[2]).update(discarded_at=NOW)
    seen += [int(line.partition(",")[0]) for line in lines]
    assert seen == [key for key in newest_first if key != newest_first[2]]


def test_the_export_holds_no_formula_and_no_full_number(letter: MakeLetter) -> None:
    letter(error_title='=HYPERLINK("http://evil")', discarded_reason="")
    text = "".join(export(dead_letters()))
    [row] = csv.DictReader(text.splitlines())
    assert row["title"] == '\'=HYPERLINK("http://evil")'
    assert row["to"] == "'+131•••••001"
    assert "+13125550001" not in text
    assert "+13125550001" in "".join(export(dead_letters(), full_numbers=True))


def test_every_code_of_the_table_has_a_sentence() -> None:
    assert {*CODES, *ASYNCHRONOUS} <= set(EXPLANATIONS)
    assert {*CODES, *ASYNCHRONOUS} <= set(REMEDIES)
    assert all(str(sentence).endswith(".") for sentence in EXPLANATIONS.values())
    assert "99999" in explain("99999", "telnyx")


@pytest.mark.parametrize(
    "code",
    [
        *(code for code, meaning in CODES.items() if meaning.kind == Outcome.AMBIGUOUS),
        *(f"http_{status}" for status in (408, 409, 500, 502, 504)),
    ],
)
def test_an_ambiguous_code_is_explained_as_ambiguous(code: str) -> None:
    assert "may have arrived" in explain(code, "telnyx")
