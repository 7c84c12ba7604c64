"""The database fails while results are written: no result is lost or counted twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from delivery.changes import Change
from delivery.limits import breaker
from delivery.models import Attempt, BreakerState, Message, OptOut, Outcome, Priority
from delivery.providers.base import SendOutcome
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn
from delivery.sending.drain import Drain
from delivery.settle import Result, settle
from delivery.signals import messages_changed
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import (
    ACCEPTED,
    UNAVAILABLE,
    HeldProvider,
    drain,
    run_until,
    write,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
STOPPED = SendOutcome(kind=Outcome.PERMANENT, code="40300", http_status=400, opted_out=True)


@contextmanager
def writing_fails(church: Church, error: Exception, times: int = 1) -> Iterator[list[int]]:
    """Make writing the results of ``church`` fail a number of times.

    Collect the time and rows of each try.
    """
    failed: list[int] = []

    def fail(changes: Sequence[Change], **_: Any) -> None:
        if changes[0].message.tenant_id == church.pk and len(failed) < times:
            failed.append(changes[0].message.pk)
            raise error

    messages_changed.connect(fail)
    try:
        yield failed
    finally:
        messages_changed.disconnect(fail)


class SetClock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return timezone.now() + self.ahead


def result(message: Message, outcome: SendOutcome) -> Result:
    return Result(message, outcome, timezone.now(), 0.01)


def take(church: Church) -> list[Message]:
    return claim.claim(Turn(church.pk, Priority.REPLY, "telnyx"), 10, timezone.now())


def settled(worker: Drain) -> bool:
    worker.settle(0.1)
    return True


def statuses(church: Church) -> set[tuple[str, int]]:
    return set(Message.objects.filter(tenant=church).values_list("status", "attempts"))


def test_results_of_other_churches_are_written_and_failed_ones_are_retried(
    grace: Church, hope: Church, provider: HeldProvider, caplog: pytest.LogCaptureFixture
) -> None:
    write(grace)
    write(hope)
    worker = drain(provider)
    worker.step()
    wait_until(lambda: len(provider.begun) == 2)
    with writing_fails(grace, OperationalError("deadlock detected"), times=3) as failed:
        provider.released.set()
        wait_until(lambda: settled(worker) and statuses(hope) == {("accepted", 1)})
        wait_until(lambda: settled(worker) and len(failed) == 3)
        assert statuses(grace) == {(Status.SENDING, 0)}
        worker.run()
    assert statuses(grace) == {(Status.ACCEPTED, 1)}
    assert len(provider.requests) == 2
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.__dict__["action"] for record in warnings] == ["settling_failed"]
    assert "deadlock" not in caplog.text


def test_a_bug_while_writing_for_one_church_costs_the_others_nothing(
    grace: Church, hope: Church
) -> None:
    provider = ScriptedProvider()
    write(grace)
    write(hope)
    worker = drain(provider, size=1)
    with writing_fails(grace, ZeroDivisionError(), times=2) as failed:
        worker.step()
        wait_until(lambda: settled(worker) and len(failed) == 2)
        wait_until(lambda: settled(worker) and statuses(hope) == {(Status.ACCEPTED, 1)})
        worker.run()
    assert statuses(grace) == {(Status.ACCEPTED, 1)}
    assert len(provider.requests) == 2


def test_an_unwritable_result_does_not_block_its_church(
    grace: Church, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SetClock()
    bad = write(grace, to="+13125550001")
    # Earlier workers held it and could not write it either: the fifth claim is the last.
    Message.objects.filter(pk=bad.pk).update(claims=4)

    def fail(changes: Sequence[Change], **_: Any) -> None:
        if any(change.message.pk == bad.pk for change in changes):
            raise ZeroDivisionError

    worker = drain(ScriptedProvider(), clock, size=2)
    messages_changed.connect(fail)
    try:
        worker.run(budget=0.3)
        good = write(grace, to="+13125550002")
        run_until(worker, Message.objects.filter(pk=good.pk, status=Status.ACCEPTED).exists)
        good.refresh_from_db()
        assert good.calls == 1
        for _ in range(5):
            clock.ahead += timedelta(seconds=20)
            worker.run(budget=0.3)
    finally:
        messages_changed.disconnect(fail)
    assert not worker.unfinished
    assert caplog.text.count("cannot be written;") == 1


def test_shutdown_keeps_writing_results_when_one_church_fails(
    grace: Church, hope: Church, provider: HeldProvider
) -> None:
    write(grace)
    write(hope)
    worker = drain(provider, size=2)
    worker.step()
    wait_until(lambda: len(provider.begun) == 2)
    provider.released.set()
    with writing_fails(grace, ZeroDivisionError(), times=3):
        worker.finish_in_flight()
    assert statuses(hope) == {(Status.ACCEPTED, 1)}
    assert statuses(grace) == {(Status.ACCEPTED, 1)}


def test_jobs_withdrawn_after_a_failed_call_are_returned_despite_write_errors(
    grace: Church, provider: HeldProvider
) -> None:
    for number in range(2):
        write(grace, to=f"+1312555000{number}")
    worker = drain(provider, size=1)
    worker.step()
    wait_until(lambda: provider.begun)
    provider.answers(UNAVAILABLE)
    with writing_fails(grace, ZeroDivisionError()):
        provider.released.set()
        worker.settle(30)
        assert statuses(grace) == {(Status.SENDING, 0), (Status.QUEUED, 0)}
    given_back = {(Status.RETRYING, 1), (Status.QUEUED, 0)}
    wait_until(lambda: settled(worker) and statuses(grace) == given_back)


def test_the_breaker_counts_calls_that_are_written_late(
    grace: Church, provider: HeldProvider
) -> None:
    for number in range(10):
        write(grace, to=f"+1312555000{number}")
    worker = drain(provider, size=16)
    worker.step()
    wait_until(lambda: len(provider.begun) == 10)
    provider.answers(UNAVAILABLE)
    with writing_fails(grace, OperationalError()) as failed:
        provider.released.set()
        wait_until(lambda: settled(worker) and failed)
        wait_until(lambda: settled(worker) and statuses(grace) == {(Status.RETRYING, 1)})
    assert breaker.current(account(), timezone.now()).state == BreakerState.OPEN


def test_a_result_that_is_written_twice_counts_once(grace: Church) -> None:
    write(grace)
    answers = [result(message, ACCEPTED) for message in take(grace)]
    for _ in range(2):
        settle(answers, timezone.now())
    message = Message.objects.get()
    assert (message.status, message.attempts, message.calls) == (Status.ACCEPTED, 1, 1)
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("order", [list, reversed], ids=["in order", "the old one last"])
def test_of_two_results_for_one_message_the_valid_claim_counts(
    grace: Church, order: Callable[[list[Result]], Sequence[Result]]
) -> None:
    write(grace)
    [lost] = take(grace)
    rescue.rescue(timezone.now() + timedelta(minutes=1))
    [held] = take(grace)
    settle(list(order([result(lost, UNAVAILABLE), result(held, ACCEPTED)])), timezone.now())
    assert statuses(grace) == {(Status.ACCEPTED, 1)}


def test_two_workers_record_opt_outs_in_the_same_order(grace: Church) -> None:
    """Check the order: in different orders, two workers could deadlock on the opt-out rows."""
    numbers = [f"+1312555000{number}" for number in (3, 1, 2)]
    for number in numbers:
        write(grace, to=number)
    settle([result(message, STOPPED) for message in take(grace)], timezone.now())
    noted = OptOut.objects.order_by("pk").values_list("number", flat=True)
    assert list(noted) == sorted(numbers)


def test_a_refusal_that_is_written_late_does_not_undo_a_newer_start(grace: Church) -> None:
    write(grace)
    [message] = take(grace)
    refused_at = timezone.now() - timedelta(seconds=20)
    started_at = refused_at + timedelta(seconds=15)
    Message.objects.create(
        tenant=grace, direction="inbound", status="received", text="START", provider_id="in1",
        to_number=grace.phone_number, from_number=message.to_number,
        created_at=started_at, updated_at=started_at, provider_status_at=started_at,
    )  # fmt: skip
    settle([Result(message, STOPPED, refused_at, 0.01)], timezone.now())
    assert not OptOut.objects.exists()
