"""How many statements a claim takes, and how many claims a step."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery import opt_outs
from delivery.limits import spend
from delivery.models import Message, OptOut, Priority
from delivery.queue import claim
from delivery.queue.turns import Turn
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import HeldProvider, drain, write
from tests.delivery.engine.test_fairness import broadcast
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_of_many_texts_takes_eight_statements(
    grace: Church, provider: HeldProvider
) -> None:
    write(grace)
    worker = drain(provider, size=40)
    worker.step()
    broadcast(grace, 100)
    with CaptureQueriesContext(connection) as asked:
        assert worker.step()
    assert len(worker.threads.in_flight) > 100
    of_sending = [
        query["sql"] for query in asked
        if not any(name in query["sql"] for name in ("webhookevent", "broadcast", "BEGIN", "COMMIT"))
    ]  # fmt: skip
    # Turns, hold, order to the breaker, claim, church; then limit, hours, count, marks.
    assert len(of_sending) <= 9, of_sending


def test_a_step_claims_once_for_a_broadcast_that_waits_for_its_pace(
    grace: Church, settings: Any, monkeypatch: pytest.MonkeyPatch, provider: HeldProvider
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 100}
    claims: list[int] = []
    take = claim.claim
    monkeypatch.setattr(
        claim,
        "claim",
        lambda turn, limit, now, **over: _counted(claims, take(turn, limit, now, **over)),
    )
    broadcast(grace, 150)
    worker = drain(provider, size=64)
    worker.step()
    turn = Turn(grace.pk, Priority.BULK, "telnyx")
    wait_until(lambda: not worker.gate.rests(turn, timezone.now()))
    claims.clear()
    worker.step()
    assert len(claims) == 1
    assert Message.objects.filter(status="queued").exists()


def test_a_text_whose_lease_was_lost_is_neither_counted_nor_called(grace: Church) -> None:
    now = timezone.now()
    for number in range(2):
        write(grace, to=f"+1312555000{number}", now=now)
    rows = claim.claim(Turn(grace.pk, Priority.REPLY, "telnyx"), 2, now)
    claim.put_back(rows[:1])
    assert [row.pk for row in spend.begin(rows, now)] == [rows[1].pk]
    assert spend.current(grace.pk, now).parts == 1


def test_the_claim_names_the_numbers_that_have_opted_out(grace: Church) -> None:
    now = timezone.now()
    for number in range(3):
        write(grace, to=f"+1312555000{number}", now=now)
    opt_outs.opt_out(grace.pk, "+13125550001", OptOut.Source.STAFF, now=now)
    rows = claim.claim(Turn(grace.pk, Priority.REPLY, "telnyx"), 3, now)
    assert rows.opted_out == {"+13125550001"}
    drain(ScriptedProvider()).run()


def _counted(claims: list[int], rows: Any) -> Any:
    claims.append(len(rows))
    return rows
