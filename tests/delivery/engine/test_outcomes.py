"""The status of a message after each kind of answer to its calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery import dead_letters, opt_outs
from delivery.models import AccountHold, Attempt, Encoding, Message, Outcome
from delivery.providers.base import Billed, OutboundText, SendOutcome
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import (
    ACCEPTED,
    LOST,
    UNAVAILABLE,
    drain,
    keys,
    run_until,
    write,
)

pytestmark = pytest.mark.django_db(transaction=True)


OF_A_GATEWAY = SendOutcome(kind=Outcome.PERMANENT, code="http_404", from_provider=False)
"""A refusal of something before Telnyx, which knows nothing of what Telnyx took."""


class Clock:
    """Virtual time: each run of the engine is a single moment."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def run_until_quiet(provider: ScriptedProvider) -> Message:
    """Drain repeatedly, each time a minute later, until no message waits."""
    clock = Clock()
    engine = drain(provider, clock)
    for _ in range(12):
        engine.run()
        clock.now += timedelta(minutes=1)
    return Message.objects.get()


@pytest.mark.parametrize(
    ("answers", "status", "attempts"),
    [
        ([ACCEPTED], Status.ACCEPTED, 1),
        ([UNAVAILABLE, ACCEPTED], Status.ACCEPTED, 2),
        ([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, ACCEPTED], Status.ACCEPTED, 4),
        ([UNAVAILABLE], Status.DEAD, 4),
        ([LOST, ACCEPTED], Status.ACCEPTED, 2),
        ([LOST], Status.UNKNOWN, 4),
        ([LOST, UNAVAILABLE], Status.UNKNOWN, 4),
        ([SendOutcome(kind=Outcome.PERMANENT, code="40310")], Status.DEAD, 1),
        ([LOST, SendOutcome(kind=Outcome.PERMANENT, code="40310")], Status.DEAD, 2),
        ([OF_A_GATEWAY], Status.DEAD, 1),
        ([LOST, OF_A_GATEWAY], Status.UNKNOWN, 2),
        ([SendOutcome(kind=Outcome.AMBIGUOUS, code="10027", final=True)], Status.UNKNOWN, 1),
        ([SendOutcome(kind=Outcome.CONFIGURATION, code="40305")], Status.DEAD, 1),
        ([SendOutcome(kind=Outcome.THROTTLED, retry_after=0.1), ACCEPTED], Status.ACCEPTED, 1),
    ],
)
def test_the_answers_decide_the_final_status(
    grace: Church, answers: list[SendOutcome], status: Status, attempts: int
) -> None:
    write(grace)
    message = run_until_quiet(ScriptedProvider(answers=answers))
    assert (message.status, message.attempts) == (status, attempts)
    assert message.calls == Attempt.objects.count()


def test_a_gateway_refusal_after_a_lost_answer_stays_ambiguous(
    grace: Church,
) -> None:
    write(grace)
    message = run_until_quiet(ScriptedProvider(answers=[LOST, OF_A_GATEWAY]))
    result = dead_letters.retry(Message.objects.all(), by=None, now=datetime.now(UTC))
    assert result.refused == [(message.pk, "may_double_required")]


def test_every_attempt_carries_the_same_key_and_the_same_bytes(
    grace: Church, settings: Any
) -> None:
    write(grace)
    provider = ScriptedProvider(answers=[LOST, UNAVAILABLE, LOST, ACCEPTED])
    engine, clock = None, Clock()
    engine = drain(provider, clock)
    engine.run()
    settings.DELIVERY = {**settings.DELIVERY, "PUBLIC_URL": "https://moved.example"}
    for _ in range(5):
        clock.now += timedelta(minutes=1)
        engine.run()
    assert len(provider.requests) == 4
    assert len(keys(provider.requests)) == 1


def test_the_pauses_on_the_rows_are_one_two_and_four_seconds(grace: Church) -> None:
    write(grace)
    run_until_quiet(ScriptedProvider(answers=[UNAVAILABLE]))
    clock = Clock()
    message = Message.objects.get()
    Message.objects.update(
        status=Status.QUEUED, attempts=0, next_attempt_at=clock.now, dead_since=None
    )
    engine = drain(ScriptedProvider(answers=[UNAVAILABLE]), clock)
    pauses = []
    for _ in range(3):
        engine.run()
        message.refresh_from_db()
        last = Attempt.objects.filter(message=message).order_by("-number")[0]
        assert message.next_attempt_at is not None
        pauses.append(round((message.next_attempt_at - last.started_at).total_seconds(), 1))
        clock.now = message.next_attempt_at
    assert pauses == [1.0, 2.0, 4.0]


def test_an_opt_out_that_only_the_provider_knew_is_recorded(grace: Church) -> None:
    write(grace)
    stop = SendOutcome(kind=Outcome.PERMANENT, code="40300", opted_out=True)
    message = run_until_quiet(ScriptedProvider(answers=[stop]))
    assert message.status == Status.SUPPRESSED
    assert opt_outs.opted_out(grace.pk, {"+13125550001"}) == {"+13125550001"}


def test_a_refused_account_is_held_and_uses_up_no_attempt(grace: Church) -> None:
    write(grace)
    no_money = SendOutcome(kind=Outcome.CONFIGURATION, code="20100", http_status=402, hold=True)
    provider = ScriptedProvider(answers=[no_money])
    message = run_until_quiet(provider)
    assert (message.status, message.attempts, len(provider.requests)) == (Status.QUEUED, 0, 1)
    assert AccountHold.objects.get().code == "20100"


def test_a_provider_that_raises_makes_an_ambiguous_attempt(grace: Church) -> None:
    def broken(request: OutboundText) -> SendOutcome:
        raise RuntimeError("bug")

    write(grace)
    assert run_until_quiet(ScriptedProvider(answers=[broken])).status == Status.UNKNOWN


def test_a_provider_id_given_twice_makes_the_second_message_ambiguous(grace: Church) -> None:
    write(grace, to="+13125550001")
    write(grace, to="+13125550002")
    twice = type("Twice", (ScriptedProvider,), {"accept": lambda self, request: "same"})()
    drain(twice).run()
    assert sorted(Message.objects.values_list("status", flat=True)) == ["accepted", "unknown"]


def test_the_size_that_telnyx_bills_is_kept_with_its_answer(grace: Church) -> None:
    write(grace)
    billed = Billed(parts=4, encoding=Encoding.UCS2)
    message = run_until_quiet(ScriptedProvider(answers=[replace(ACCEPTED, billed=billed)]))
    assert (message.status, message.parts, message.encoding) == ("accepted", 4, "UCS-2")


def test_an_unusable_number_fails_one_message_and_the_others_wait(grace: Church) -> None:
    clock, refused = Clock(), SendOutcome(kind=Outcome.CONFIGURATION, code="40100", retry_after=60)
    for number in range(1, 31):
        write(grace, to=f"+131255500{number:02}", now=clock.now)
    engine = drain(ScriptedProvider(answers=[refused]), clock, size=1)
    dead = Message.objects.filter(status="dead", error_class="configuration")
    run_until(engine, dead.exists)
    assert Message.objects.filter(status="queued").count() >= 20
