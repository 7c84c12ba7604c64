"""A batch: rows without model instances, in slices, all or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery import opt_outs
from delivery.accept import UnacceptableError, accept_batch, accept_message
from delivery.changes import Change, NewBatch
from delivery.drafts import Draft
from delivery.models import Message, OptOut
from delivery.models.transitions import Failure
from delivery.signals import messages_changed
from koinonia.models import Church
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)
ABROAD = "+18765550123"
SIZE = 3


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.accept.SLICE", SIZE)


@pytest.fixture
def heard() -> Iterator[list[tuple[Sequence[Change], Sequence[NewBatch]]]]:
    """Collect the signals ``messages_changed``."""
    told: list[tuple[Sequence[Change], Sequence[NewBatch]]] = []

    def hear(changes: Any, batches: Any, **_: Any) -> None:
        told.append((changes, batches))

    messages_changed.connect(hear)
    yield told
    messages_changed.disconnect(hear)


def drafts(number: int, text: str = "Hello") -> list[Draft]:
    return [Draft(to=f"+1312555{at:04}", text=text) for at in range(number)]


def columns(message: Message) -> dict[str, Any]:
    names = [field.attname for field in Message._meta.concrete_fields]
    own = {"id", "batch", "priority"}
    return {name: getattr(message, name) for name in names if name not in own}


@pytest.mark.parametrize(
    "draft",
    [
        Draft(to="+13125550001", text="Hello"),
        Draft(to="+13125550001", text="a\tb\\n\n\\N \\. 'quoted' \"twice\" %s {x} Łukasz 🙏🏽"),
        Draft(
            to="+13125550001", text="", media_urls=("https://grace.example/choir.jpg",), thread=7
        ),
        Draft(to="+13125550001", text="x" * 2000, failure=Failure("a", "b" * 300, "permanent")),
        Draft(to="+13125550001", text="Hi Ben", template="Hi {first_name}", thread=2**40),
    ],
)
def test_a_message_of_a_batch_has_the_columns_of_a_single_message(
    grace: Church, draft: Draft
) -> None:
    now = timezone.now()
    given = replace(draft, recipient_id=cast.member(grace, "Anna", "+13125550001").pk)
    accept_message(grace, given, now=now)
    accept_batch(grace, [given], batch=7, now=now)
    single, of_batch = Message.objects.order_by("pk")
    assert columns(of_batch) == columns(single)


def test_a_batch_is_written_while_its_drafts_are_made(grace: Church, small_slices: None) -> None:
    waiting = list[int]()

    def made() -> Iterator[Draft]:
        for number, draft in enumerate(drafts(4 * SIZE)):
            waiting.append(number - Message.objects.count())
            yield draft

    assert accept_batch(grace, made(), batch=7, now=timezone.now()).total == 4 * SIZE
    assert max(waiting) < SIZE


def test_the_number_of_statements_is_constant_per_slice(grace: Church, small_slices: None) -> None:
    def statements(slices: int, batch: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            accept_batch(grace, drafts(slices * SIZE), batch=batch, now=timezone.now())
        return len(captured)

    few, many = statements(2, 7), statements(5, 8)
    # The opt-outs, and the rows.
    assert many - few == 3 * 2


def test_a_number_that_is_repeated_in_a_later_slice_gets_one_message(
    grace: Church, small_slices: None
) -> None:
    repeated = [*drafts(SIZE, "first"), *drafts(SIZE, "second")]
    assert accept_batch(grace, repeated, batch=7, now=timezone.now()).counts == {"queued": SIZE}
    assert set(Message.objects.values_list("text", flat=True)) == {"first"}


def test_an_unacceptable_draft_in_a_later_slice_leaves_no_message(
    grace: Church, small_slices: None, heard: list[Any]
) -> None:
    bad = [*drafts(SIZE), Draft(to="+13125559999", text="\x00")]
    with pytest.raises(UnacceptableError):
        accept_batch(grace, bad, batch=7, now=timezone.now())
    assert (Message.objects.count(), heard) == (0, [])


def test_a_batch_is_signalled_once_with_its_counts_and_its_failed_messages(
    grace: Church, small_slices: None, heard: list[tuple[Sequence[Change], Sequence[NewBatch]]]
) -> None:
    opt_outs.opt_out(grace.pk, "+13125550001", OptOut.Source.STAFF, now=timezone.now())
    given = [*drafts(2 * SIZE), Draft(to=ABROAD, text="Hello")]
    accept_batch(grace, given, batch=7, now=timezone.now())
    ((changes, batches),) = heard
    counts = {"queued": 2 * SIZE - 1, "suppressed": 1, "dead": 1}
    assert list(batches) == [NewBatch(grace.pk, 7, counts)]
    (failed,) = changes
    assert (failed.message.to_number, failed.message.error_code) == (ABROAD, "destination_refused")
    assert failed.created


def test_a_batch_without_drafts_is_not_signalled(grace: Church, heard: list[Any]) -> None:
    assert accept_batch(grace, [], batch=7, now=timezone.now()).total == 0
    assert heard == []


@pytest.mark.parametrize("stopped", [2, 5])
def test_opt_outs_are_found_among_many_numbers_and_many_opt_outs(
    grace: Church, monkeypatch: pytest.MonkeyPatch, stopped: int
) -> None:
    monkeypatch.setattr("delivery.opt_outs._FEW", 1)
    monkeypatch.setattr("delivery.opt_outs._MOST", 3)
    out = {draft.to for draft in drafts(stopped)}
    for number in out:
        opt_outs.opt_out(grace.pk, number, OptOut.Source.STAFF, now=timezone.now())
    for wanted in (1, 2, 6):
        numbers = {draft.to for draft in drafts(wanted)}
        assert opt_outs.opted_out(grace.pk, numbers) == numbers & out
