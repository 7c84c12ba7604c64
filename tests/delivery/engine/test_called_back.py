"""A cancelled batch: its texts in a call are not sent again, and no text stays in the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery.accept import accept_batch
from delivery.cancel import cancel_batch
from delivery.dead_letters import retry
from delivery.drafts import Draft
from delivery.models import Message, Priority
from delivery.providers.base import SendOutcome
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn
from delivery.settle import Result, settle
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import ACCEPTED, UNAVAILABLE, drain

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=1)
BATCH = 7


@pytest.fixture(autouse=True)
def batch(grace: Church) -> None:
    drafts = [Draft(to=f"+1312555{number:04}", text="Hello") for number in range(4)]
    accept_batch(grace, drafts, batch=BATCH, now=timezone.now())


def take(church: Church, limit: int) -> list[Message]:
    return claim.claim(Turn(church.pk, Priority.BULK, "telnyx"), limit, timezone.now())


def statuses() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("status", flat=True))


def send_later(provider: ScriptedProvider) -> None:
    rescue.rescue(timezone.now() + LATER)
    drain(provider, clock=lambda: timezone.now() + LATER).run()


@pytest.mark.parametrize(
    ("answer", "ended"), [(UNAVAILABLE, Status.CANCELLED), (ACCEPTED, Status.ACCEPTED)]
)
def test_a_text_in_a_call_is_not_sent_again_after_the_stop(
    grace: Church, answer: SendOutcome, ended: Status
) -> None:
    calling = take(grace, 3)
    claim.start_calls(calling, timezone.now())
    assert cancel_batch(grace.pk, BATCH, now=timezone.now()) == 1
    settle([Result(one, answer, timezone.now(), 0.01) for one in calling[:1]], timezone.now())
    provider = ScriptedProvider()
    drain(provider, clock=lambda: timezone.now() + LATER / 4).run()
    assert statuses() == [ended, Status.SENDING, Status.SENDING, Status.CANCELLED]
    assert provider.requests == []


@pytest.mark.parametrize("is_in_call", [False, True])
def test_a_text_whose_worker_dies_is_not_sent_after_the_stop(
    grace: Church, is_in_call: bool
) -> None:
    """End as unknown if a call may have arrived; a report of the provider settles it."""
    claimed = take(grace, 3)
    if is_in_call:
        claim.start_calls(claimed, timezone.now())
    assert cancel_batch(grace.pk, BATCH, now=timezone.now()) == 1
    provider = ScriptedProvider()
    send_later(provider)
    ended = Status.UNKNOWN if is_in_call else Status.CANCELLED
    assert statuses() == [ended] * 3 + [Status.CANCELLED]
    assert provider.requests == []


def test_a_text_that_its_worker_returns_untried_is_not_sent_after_the_stop(grace: Church) -> None:
    claimed = take(grace, 3)
    cancel_batch(grace.pk, BATCH, now=timezone.now())
    claim.put_back(claimed)
    provider = ScriptedProvider()
    drain(provider).run()
    assert (statuses(), provider.requests) == ([Status.CANCELLED] * 4, [])


def test_a_stop_that_comes_too_late_changes_nothing(grace: Church) -> None:
    claimed = take(grace, 4)
    assert cancel_batch(grace.pk, BATCH, now=timezone.now()) == 0
    claim.put_back(claimed)
    drain(ScriptedProvider()).run()
    assert statuses() == [Status.ACCEPTED] * 4


def test_a_person_may_retry_a_text_that_was_called_back(grace: Church) -> None:
    claimed = take(grace, 3)
    claim.start_calls(claimed, timezone.now())
    cancel_batch(grace.pk, BATCH, now=timezone.now())
    send_later(ScriptedProvider())
    now = timezone.now() + LATER
    retry(Message.objects.filter(status=Status.UNKNOWN), by=None, may_double=True, now=now)
    drain(ScriptedProvider(), clock=lambda: now + LATER).run()
    assert statuses() == [Status.ACCEPTED] * 3 + [Status.CANCELLED]
