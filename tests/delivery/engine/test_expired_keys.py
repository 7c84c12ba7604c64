"""An ambiguous attempt that is older than the provider's memory of keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db.models import F
from django.utils import timezone

from delivery.models import Attempt, Message
from delivery.queue import claim, rescue
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import ACCEPTED, LOST, UNAVAILABLE, drain, write

pytestmark = pytest.mark.django_db(transaction=True)


def write_one_that_lives_for_days(church: Church) -> Message:
    return write(church, expires_at=timezone.now() + timedelta(days=3))


def age_the_calls(*, hours: float) -> None:
    """Move all calls back in time, and make the next one due."""
    Attempt.objects.update(started_at=F("started_at") - timedelta(hours=hours))
    Message.objects.update(next_attempt_at=timezone.now())


def run_at(provider: ScriptedProvider, *hours: float) -> Message:
    """Return the status of the only message after the engine ran some hours from now."""
    began = timezone.now()
    for moment in [began + timedelta(hours=some) for some in hours]:
        drain(provider, partial(_same, moment)).run()
    return Message.objects.get()


def _same(moment: datetime) -> datetime:
    return moment


def test_while_the_key_is_remembered_an_ambiguous_attempt_is_repeated(grace: Church) -> None:
    write_one_that_lives_for_days(grace)
    provider = ScriptedProvider(answers=[LOST, ACCEPTED])
    message = run_at(provider, 0, 22)
    assert (message.status, len(provider.requests)) == (Status.ACCEPTED, 2)


def test_after_the_key_memory_an_ambiguous_message_is_unknown_and_not_sent_again(
    grace: Church,
) -> None:
    write_one_that_lives_for_days(grace)
    provider = ScriptedProvider(answers=[LOST, ACCEPTED])
    message = run_at(provider, 0, 23.5)
    assert (message.status, message.error_code) == (Status.UNKNOWN, "answer_lost")
    assert message.dead_since is not None
    assert len(provider.requests) == 1


def test_the_first_lost_answer_counts_and_not_the_last(grace: Church) -> None:
    write_one_that_lives_for_days(grace)
    provider = ScriptedProvider(answers=[LOST, LOST, ACCEPTED])
    run_at(provider, 0)
    age_the_calls(hours=12)
    assert run_at(provider, 0).status == Status.RETRYING
    age_the_calls(hours=11.5)
    assert run_at(provider, 0).status == Status.UNKNOWN
    assert len(provider.requests) == 2


def test_the_call_of_a_dead_worker_counts_too(grace: Church) -> None:
    message = write_one_that_lives_for_days(grace)
    now = timezone.now()
    claimed = claim.claim_one(message.pk, now)
    assert claimed is not None
    claim.start_calls([claimed], now)
    rescue.rescue(now + timedelta(minutes=1))
    provider = ScriptedProvider(answers=[ACCEPTED])
    assert run_at(provider, 23.5).status == Status.UNKNOWN
    assert provider.requests == []


def test_a_refused_message_is_sent_at_any_age_of_its_first_call(
    grace: Church,
) -> None:
    write_one_that_lives_for_days(grace)
    assert (
        run_at(ScriptedProvider(answers=[UNAVAILABLE, ACCEPTED]), 0, 48).status == Status.ACCEPTED
    )


def test_lost_answers_of_an_earlier_send_do_not_affect_an_ordered_send(grace: Church) -> None:
    write_one_that_lives_for_days(grace)
    run_at(ScriptedProvider(answers=[LOST]), 0)
    age_the_calls(hours=30)
    Message.objects.update(generation=2, ambiguous=False)
    assert run_at(ScriptedProvider(answers=[LOST, ACCEPTED]), 0, 1).status == Status.ACCEPTED
