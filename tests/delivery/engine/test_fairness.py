"""The order in which messages of several tenants are sent."""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.accept import accept_batch
from delivery.drafts import Draft
from delivery.models import Message, Outcome, Priority
from delivery.providers.base import OutboundText, SendOutcome
from delivery.queue.turns import Turn, Turns
from delivery.sending.drain import Drain
from delivery.sending.gate import Gate
from delivery.sending.threads import Threads
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import run_until, write

pytestmark = pytest.mark.django_db(transaction=True)


def broadcast(church: Church, size: int) -> None:
    drafts = [Draft(to=f"+1312556{number:04}", text="Hello") for number in range(size)]
    accept_batch(church, drafts, batch=1, now=timezone.now())


def test_replies_go_before_bulk_and_tenants_take_turns(grace: Church, hope: Church) -> None:
    broadcast(grace, 2)
    broadcast(hope, 2)
    write(hope)
    turns, now = Turns(), timezone.now()
    first = next(iter(turns.now(now)))
    assert first == Turn(hope.pk, Priority.REPLY, "telnyx")
    Message.objects.filter(priority=Priority.REPLY).delete()
    order = []
    for _ in range(4):
        turn = next(iter(turns.now(now)))
        turns.served(turn)
        order.append(turn.tenant_id)
    assert order == [grace.pk, hope.pk, grace.pk, hope.pk]


THREADS = 16
REPLIES = 12
PATIENCE_SECONDS = 60


class SlowProvider(ScriptedProvider):
    """Answers after 20 ms."""

    def send(self, request: OutboundText) -> SendOutcome:
        outcome = super().send(request)
        time.sleep(0.02)  # simulated network latency
        return outcome

    @property
    def order(self) -> list[int]:
        """Return the messages in the order of their calls."""
        return [request.message_id for request in self.requests]


@pytest.mark.parametrize("rate", [None, 50])
def test_single_texts_overtake_a_broadcast_that_runs(
    grace: Church, hope: Church, settings: Any, rate: float | None
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "ACCOUNT_RATE": rate}
    broadcast(grace, 5000)
    provider = SlowProvider()
    began = time.monotonic()
    sent_before: dict[int, int] = {}

    def an_office_writes_meanwhile() -> bool:
        sent = len(provider.requests)
        if len(sent_before) < REPLIES and sent > 10 * (len(sent_before) + 1):
            sent_before[write(hope, to=f"+131255512{len(sent_before):02}").pk] = sent
        everything_asked = len(sent_before) == REPLIES and sent_before.keys() <= set(provider.order)
        return everything_asked or time.monotonic() - began > PATIENCE_SECONDS

    Drain(Threads(THREADS, lambda alias: provider), stopping=an_office_writes_meanwhile).run(
        budget=PATIENCE_SECONDS
    )
    order = provider.order
    overtaken = [order.index(pk) - sent for pk, sent in sent_before.items()]
    assert len(overtaken) == REPLIES
    # The jobs in flight, and at most the same number of claimed jobs.
    assert max(overtaken) <= 2 * THREADS
    assert Message.objects.filter(tenant=grace, status="queued").exists()


class OneRest(Gate):
    """Lets the first turn rest for less time than a step takes."""

    until: datetime | None = None

    def rests(self, turn: Turn, now: datetime) -> bool:
        if self.until is None:
            self.until = now + timedelta(milliseconds=1)
        return self.anyone_rests(now)

    def anyone_rests(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


def test_a_drain_goes_on_when_the_only_turn_has_rested_enough_within_the_step(
    hope: Church,
) -> None:
    write(hope)
    provider, start, seconds = ScriptedProvider(), timezone.now(), itertools.count()
    Drain(
        Threads(1, lambda alias: provider),
        gate=OneRest(),
        clock=lambda: start + timedelta(seconds=next(seconds)),
    ).run(budget=PATIENCE_SECONDS)
    assert len(provider.requests) == 1


def test_a_throttled_number_pauses_and_the_other_church_keeps_sending(
    grace: Church, hope: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 1000}
    full = SendOutcome(kind=Outcome.THROTTLED, code="40318", retry_after=120)
    refused: list[int] = []

    def of_grace_is_full(request: OutboundText) -> SendOutcome:
        if grace.phone_number == request.from_number:
            refused.append(request.message_id)
            return full
        return SendOutcome(kind=Outcome.ACCEPTED, http_status=200)

    for _ in range(3):
        write(grace)
    engine = Drain(Threads(1, lambda alias: ScriptedProvider(answers=[of_grace_is_full])))
    run_until(engine, lambda: refused)
    text = write(hope)
    run_until(engine, lambda: Message.objects.filter(pk=text.pk, status="accepted").exists())
    assert len(refused) == 1
    assert set(Message.objects.filter(tenant=grace).values_list("attempts", flat=True)) == {0}
