"""Several provider accounts: each has its own hold, breaker, ids and turns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from delivery import status_report
from delivery.dead_letters import retry
from delivery.limits import breaker, holds
from delivery.limits.breaker import Permit, Tally
from delivery.models import Attempt, BreakerState, Message, Priority, WebhookEvent
from delivery.providers import registry
from delivery.providers.base import Account, Capabilities
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn, Turns
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import ACCEPTED, LOST, run_until, write

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "other"
SWITCHED = "+13125550200"
"""The number of Hope church; it belongs to the second account."""


class KeylessProvider(ScriptedProvider):
    """Takes each call as a new text."""

    capabilities = Capabilities()


def provider_of(tenant: Church, number: str) -> str:
    return OTHER if number == SWITCHED else "telnyx"


@pytest.fixture(autouse=True)
def two_accounts(settings: Any) -> None:
    backend = f"{__name__}.KeylessProvider"
    settings.DELIVERY = {
        **settings.DELIVERY,
        "PROVIDERS": {**settings.DELIVERY["PROVIDERS"], OTHER: {"BACKEND": backend}},
        "PROVIDER_OF": f"{__name__}.provider_of",
        "RETRY_DELAYS": (0, 0, 0),
    }


@pytest.fixture
def providers() -> dict[str, ScriptedProvider]:
    return {"telnyx": ScriptedProvider("telnyx"), OTHER: KeylessProvider(OTHER)}


def drain(providers: dict[str, ScriptedProvider]) -> Drain:
    return Drain(Threads(2, lambda alias: providers[alias]))


def test_a_text_goes_through_the_account_of_its_number(
    grace: Church, hope: Church, providers: dict[str, ScriptedProvider]
) -> None:
    first, second = write(grace), write(hope)
    drain(providers).run()
    assert [text.message_id for text in providers["telnyx"].requests] == [first.pk]
    assert [text.message_id for text in providers[OTHER].requests] == [second.pk]
    assert providers[OTHER].requests[0].callback_url.endswith(f"/webhooks/other/m{second.pk}/")


@pytest.mark.parametrize("closed", ["telnyx", OTHER])
@pytest.mark.parametrize("by", ["hold", "order"])
def test_a_closed_account_does_not_stop_the_turns_of_the_other(
    closed: str, by: str, grace: Church, hope: Church, providers: dict[str, ScriptedProvider]
) -> None:
    now = timezone.now()
    if by == "hold":
        holds.hold(registry.account(closed), "20100", "Insufficient funds", now=now)
    else:
        breaker.force(registry.account(closed), BreakerState.FORCED_OPEN, by=None, now=now)
    texts = {"telnyx": write(grace), OTHER: write(hope)}
    sent = Message.objects.filter(status=Status.ACCEPTED)
    run_until(drain(providers), sent.exists)
    for alias, text in texts.items():
        text.refresh_from_db()
        assert text.status == (Status.QUEUED if alias == closed else Status.ACCEPTED)


def test_the_breaker_of_one_account_opens_alone() -> None:
    now = timezone.now()
    here, there = registry.accounts()
    breaker.record(here, breaker.ask(here, now), Tally(10, 10), now)
    assert breaker.current(here, now).state == BreakerState.OPEN
    assert breaker.current(there, now).state == BreakerState.CLOSED
    assert breaker.ask(there, now).allowed


def test_a_breaker_is_asked_once_per_step_however_many_tenants_wait(
    grace: Church, hope: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = breaker.ask

    def count(account: Account, now: datetime) -> Permit:
        asked.append(account.alias)
        return ask(account, now)

    monkeypatch.setattr(breaker, "ask", count)
    providers = {"telnyx": ScriptedProvider("telnyx"), OTHER: KeylessProvider(OTHER)}
    for church in (grace, hope, grace):
        write(church)
    drain(providers).step()
    assert sorted(asked) == [OTHER, "telnyx"]


def test_an_untried_text_moves_with_the_number_to_the_other_account(
    grace: Church, providers: dict[str, ScriptedProvider]
) -> None:
    text = write(grace)
    Church.objects.filter(pk=grace.pk).update(phone_number=SWITCHED)
    drain(providers).run()
    text.refresh_from_db()
    assert (text.provider, text.from_number, text.status) == (OTHER, SWITCHED, Status.ACCEPTED)
    assert (len(providers["telnyx"].requests), len(providers[OTHER].requests)) == (0, 1)


def test_a_tried_text_stays_with_its_account(
    grace: Church, providers: dict[str, ScriptedProvider]
) -> None:
    providers["telnyx"]._answers = [LOST, ACCEPTED]
    text = write(grace)
    worker = drain(providers)
    worker.step()
    worker.settle(5)
    Church.objects.filter(pk=grace.pk).update(phone_number=SWITCHED)
    worker.run()
    text.refresh_from_db()
    assert (text.provider, text.status) == ("telnyx", Status.ACCEPTED)
    assert (len(providers["telnyx"].requests), len(providers[OTHER].requests)) == (2, 0)


def test_without_a_key_a_lost_answer_ends_unknown_after_one_call(
    hope: Church, providers: dict[str, ScriptedProvider]
) -> None:
    providers[OTHER]._answers = [LOST]
    text = write(hope)
    drain(providers).run()
    text.refresh_from_db()
    assert (text.status, text.attempts, len(providers[OTHER].requests)) == (Status.UNKNOWN, 1, 1)
    refused = retry(Message.objects.all(), by=None, now=timezone.now()).refused
    assert refused == [(text.pk, "may_double_required")]


def test_without_a_key_a_worker_lost_in_a_call_ends_unknown(hope: Church) -> None:
    text, now = write(hope), timezone.now()
    [claimed] = claim.claim(Turn(hope.pk, Priority.REPLY, OTHER), 1, now)
    claim.start_calls([claimed], now)
    assert rescue.rescue(now + timedelta(minutes=5)) == 1
    text.refresh_from_db()
    assert (text.status, text.error_code, text.calls) == (Status.UNKNOWN, "answer_lost", 1)
    assert Attempt.objects.get().code == "worker_lost"


def test_two_accounts_may_give_the_same_id(grace: Church, hope: Church) -> None:
    here, there = write(grace), write(hope)
    Message.objects.filter(pk=here.pk).update(provider_id="1")
    Message.objects.filter(pk=there.pk).update(provider_id="1")
    again = write(grace)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=again.pk).update(provider_id="1")


def test_two_accounts_may_give_events_the_same_id() -> None:
    now = timezone.now()
    for alias in ("telnyx", OTHER, OTHER):
        event = WebhookEvent(
            provider=alias, event_id="1", event_type="t", occurred_at=now, received_at=now,
            payload={},
        )  # fmt: skip
        WebhookEvent.objects.bulk_create([event], ignore_conflicts=True)
    assert WebhookEvent.objects.count() == 2


def test_a_text_of_an_account_that_is_no_longer_configured_waits(
    hope: Church, settings: Any, providers: dict[str, ScriptedProvider]
) -> None:
    text = write(hope)
    telnyx = {"telnyx": settings.DELIVERY["PROVIDERS"]["telnyx"]}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": telnyx, "PROVIDER_OF": None}
    drain(providers).run(budget=1)
    text.refresh_from_db()
    assert text.status == Status.QUEUED
    assert list(Turns().now(timezone.now())) == []
    told = status_report.why_stuck(timezone.now(), after=timedelta(minutes=1))
    assert "no worker can find" in told


def test_the_report_of_a_tenant_is_about_its_own_account(grace: Church, hope: Church) -> None:
    now = timezone.now()
    holds.hold(registry.account(OTHER), "20003", "Authenticate", now=now)
    assert status_report.report(grace.pk, now=now)["hold"] is None
    assert status_report.report(hope.pk, now=now)["hold"]["code"] == "20003"
    accounts = status_report.report(now=now)["accounts"]
    assert [(one["provider"], bool(one["hold"])) for one in accounts] == [
        ("telnyx", False), (OTHER, True),
    ]  # fmt: skip


def test_the_command_orders_one_account_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    here, there = registry.accounts()
    call_command("breaker", "open", provider=[OTHER])
    assert "other (" in capsys.readouterr().out
    now = timezone.now()
    assert breaker.current(here, now).state == BreakerState.CLOSED
    assert breaker.current(there, now).state == BreakerState.FORCED_OPEN
    call_command("breaker", "auto")
    assert breaker.current(there, timezone.now()).state == BreakerState.CLOSED
