"""Crashed workers, and workers that return after their leases have expired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.changes import Change
from delivery.models import Attempt, Message, Outcome, Priority
from delivery.providers.base import SendOutcome
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn
from delivery.sending.jobs import outbound_text
from delivery.settle import Result, settle
from delivery.signals import messages_changed
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import ACCEPTED, LOST, UNAVAILABLE, drain, write

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=1)


def take(church: Church, limit: int = 10) -> list[Message]:
    return claim.claim(Turn(church.pk, Priority.REPLY, "telnyx"), limit, timezone.now())


def result(message: Message, outcome: SendOutcome) -> Result:
    return Result(message, outcome, timezone.now(), 0.01)


def test_a_claimed_row_cannot_be_claimed_again(grace: Church) -> None:
    write(grace)
    assert len(take(grace)) == 1
    assert take(grace) == []


def test_a_worker_that_dies_before_the_call_leaves_no_ambiguity(grace: Church) -> None:
    write(grace)
    take(grace)
    rescue.rescue(timezone.now() + LATER)
    message = Message.objects.get()
    assert (message.status, message.ambiguous, message.claims) == (Status.QUEUED, False, 1)
    assert not Attempt.objects.exists()


def test_a_worker_that_dies_in_the_call_leaves_an_ambiguity_that_the_key_settles(
    grace: Church,
) -> None:
    write(grace)
    (message,) = take(grace)
    claim.start_calls([message], timezone.now())
    provider = ScriptedProvider()
    provider.accept(outbound_text(message))  # the provider took it; the worker never heard
    rescue.rescue(timezone.now() + LATER)
    message.refresh_from_db()
    assert (message.status, message.ambiguous, message.attempts) == (Status.QUEUED, True, 0)
    drain(provider).run()
    message.refresh_from_db()
    assert (message.status, message.ambiguous, len(provider.accepted)) == (
        Status.ACCEPTED, False, 1,
    )  # fmt: skip


def test_a_late_result_of_a_lost_lease_matches_no_row(grace: Church) -> None:
    write(grace)
    (zombie,) = take(grace)
    rescue.rescue(timezone.now() + LATER)
    (current,) = take(grace)
    settle([result(zombie, UNAVAILABLE)], timezone.now())
    current.refresh_from_db()
    assert (current.status, current.attempts) == (Status.SENDING, 0)
    settle([result(current, ACCEPTED)], timezone.now())
    current.refresh_from_db()
    assert current.status == Status.ACCEPTED


def give_up_in_doubt(message: Message, **over: Any) -> None:
    """Set the row as a worker leaves it that took over an expired lease and had no answer."""
    Message.objects.filter(pk=message.pk).update(
        status=Status.UNKNOWN, ambiguous=True, lease_token=None, lease_until=None,
        dead_since=timezone.now(), error_code="answer_lost", error_class="ambiguous", **over,
    )  # fmt: skip


def test_a_late_result_with_the_lost_answer_settles_an_unknown_message(
    grace: Church,
) -> None:
    write(grace)
    (zombie,) = take(grace)
    give_up_in_doubt(zombie, attempts=4, calls=4)
    heard: list[tuple[str, str]] = []

    def listen(changes: list[Change], **_: Any) -> None:
        heard.extend((change.previous, change.message.status) for change in changes)

    messages_changed.connect(listen)
    try:
        settle([result(zombie, ACCEPTED)], timezone.now())
    finally:
        messages_changed.disconnect(listen)
    message = Message.objects.get()
    assert (message.status, message.provider_id, message.ambiguous) == ("accepted", "given", False)
    assert (message.dead_since, message.error_code) == (None, "")
    assert (message.attempts, message.calls, Attempt.objects.count()) == (4, 5, 1)
    assert heard == [("unknown", "accepted")]


@pytest.mark.parametrize(
    ("generation", "outcome"),
    [
        (1, UNAVAILABLE),
        (1, LOST),
        (1, SendOutcome(kind=Outcome.PERMANENT, code="40310")),
        (2, ACCEPTED),
    ],
)
def test_no_other_late_result_settles_it(
    grace: Church, generation: int, outcome: SendOutcome
) -> None:
    write(grace)
    (zombie,) = take(grace)
    give_up_in_doubt(zombie, generation=generation)
    (before,) = Message.objects.values()
    settle([result(zombie, outcome)], timezone.now())
    assert list(Message.objects.values()) == [before]


def test_a_late_answer_with_the_id_of_another_message_settles_nothing(grace: Church) -> None:
    write(grace)
    (zombie,) = take(grace)
    give_up_in_doubt(zombie)
    other = write(grace, to="+13125550002")
    Message.objects.filter(pk=other.pk).update(status=Status.DELIVERED, provider_id="given")
    settle([result(zombie, ACCEPTED)], timezone.now())
    zombie.refresh_from_db()
    assert (zombie.status, zombie.provider_id) == (Status.UNKNOWN, None)


@pytest.mark.parametrize(("called", "status"), [(False, Status.DEAD), (True, Status.UNKNOWN)])
def test_five_claims_without_an_outcome_end_in_the_dead_letters(
    grace: Church, called: bool, status: Status
) -> None:
    write(grace)
    for _ in range(5):
        taken = take(grace)
        if called:
            claim.start_calls(taken, timezone.now())
        rescue.rescue(timezone.now() + LATER)
    message = Message.objects.get()
    assert (message.status, message.error_code) == (status, "crash_loop")


def test_returning_a_row_unsent_does_not_count_as_a_claim(grace: Church) -> None:
    write(grace)
    for _ in range(20):
        claim.put_back(take(grace))
    message = Message.objects.get()
    assert (message.status, message.claims) == (Status.QUEUED, 0)


def test_a_lease_is_renewed_while_its_call_lasts(grace: Church) -> None:
    write(grace)
    (message,) = take(grace)
    claim.renew([message], timezone.now() + timedelta(seconds=20))
    assert rescue.rescue(timezone.now() + timedelta(seconds=40)) == 0
    assert rescue.rescue(timezone.now() + timedelta(seconds=60)) == 1


LATE: dict[str, Callable[[Message], object]] = {
    "renewed": lambda lost: claim.renew([lost], timezone.now() + LATER),
    "called": lambda lost: claim.start_calls([lost], timezone.now()),
    "put back": lambda lost: claim.put_back([lost]),
}


@pytest.mark.parametrize("deed", LATE)
def test_a_worker_that_lost_a_message_cannot_change_it(grace: Church, deed: str) -> None:
    write(grace)
    (lost,) = take(grace)
    rescue.rescue(timezone.now() + LATER)
    take(grace)
    (before,) = Message.objects.values()
    LATE[deed](lost)
    assert list(Message.objects.values()) == [before]


def test_a_message_expires_when_due_not_before(grace: Church) -> None:
    message = write(grace)
    now = timezone.now()
    waiting = Message.objects.filter(pk=message.pk)
    waiting.update(status=Status.RETRYING, expires_at=now, next_attempt_at=now + LATER)
    assert rescue.expire(now) == 0
    assert rescue.expire(now + LATER) == 1
    assert waiting.get().status == Status.EXPIRED


def test_a_webhook_before_the_answer_stands_and_the_call_is_counted(
    grace: Church,
) -> None:
    write(grace)
    (message,) = take(grace)
    Message.objects.update(
        status=Status.DELIVERED, provider_id="given", lease_token=None, lease_until=None
    )
    settle([result(message, ACCEPTED)], timezone.now())
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.DELIVERED, 1)
    assert Attempt.objects.get().outcome == Outcome.ACCEPTED


def test_a_late_answer_after_the_last_attempt_is_not_a_fifth_attempt(grace: Church) -> None:
    write(grace)
    (zombie,) = take(grace)
    Message.objects.update(
        status=Status.DELIVERED, provider_id="given", lease_token=None, lease_until=None,
        attempts=4, calls=4,
    )  # fmt: skip
    settle([result(zombie, ACCEPTED)], timezone.now())
    zombie.refresh_from_db()
    assert (zombie.attempts, zombie.calls) == (4, 5)


def test_a_provider_id_for_two_messages_counts_once_and_each_call_once(grace: Church) -> None:
    for number in range(3):
        write(grace, to=f"+1312555000{number}")
    messages = take(grace)
    ids = ["given", "given", "another"]
    settle(
        [
            result(message, SendOutcome(kind=Outcome.ACCEPTED, provider_id=provider_id))
            for message, provider_id in zip(messages, ids, strict=True)
        ],
        timezone.now(),
    )
    rows = Message.objects.order_by("pk").values_list("status", "error_code", "attempts", "calls")
    assert list(rows) == [
        (Status.ACCEPTED, "", 1, 1), (Status.UNKNOWN, "id_given_twice", 1, 1),
        (Status.ACCEPTED, "", 1, 1),
    ]  # fmt: skip
    assert Attempt.objects.count() == 3


def test_a_bulk_write_keeps_shared_and_differing_values(grace: Church) -> None:
    now = timezone.now()
    for number in range(3):
        write(grace, to=f"+1312555000{number}")
    messages = list(Message.objects.order_by("pk"))
    for message, code in zip(messages, ["a", None, "c"], strict=True):
        message.error_title, message.provider_id, message.dead_since = "alike", code, now
    fields = ["error_title", "provider_id", "dead_since", "lease_token"]
    assert Message.objects.write(messages, fields) == 3
    assert list(Message.objects.order_by("pk").values_list(*fields)) == [
        ("alike", "a", now, None), ("alike", None, now, None), ("alike", "c", now, None),
    ]  # fmt: skip
