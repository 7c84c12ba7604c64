"""While the first provider is down, texts that were never tried leave from the second number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery import failover, opt_outs
from delivery.limits import breaker, holds
from delivery.limits.breaker import Tally
from delivery.models import BreakerState, BreakerTransition, Message, OptOut
from delivery.providers import registry
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church, SendingNumber
from tests.delivery.engine.scripted import LOST, UNAVAILABLE, run_until, write

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "+13125550100", "+13125550190"
OTHER = "other"


@pytest.fixture(autouse=True)
def two_accounts(settings: Any) -> None:
    backend = "delivery.testing.ScriptedProvider"
    settings.DELIVERY = {
        **settings.DELIVERY,
        "PROVIDERS": {**settings.DELIVERY["PROVIDERS"], OTHER: {"BACKEND": backend}},
        "FAILOVER_AFTER": 30,
        "RETRY_DELAYS": (0, 0, 0),
    }


@pytest.fixture
def grace_with_two(grace: Church) -> Church:
    """Return Grace church with a second number at the second provider, and with failover on."""
    SendingNumber.objects.create(
        church=grace, number=SECOND, provider=OTHER, second=True, given_at=timezone.now()
    )
    Church.objects.filter(pk=grace.pk).update(uses_second_number=True)
    return grace


def first_provider_fails(seconds: float = 31) -> None:
    """Open the breaker of the first account, ``seconds`` ago."""
    first = registry.account("telnyx")
    now = timezone.now()
    breaker.record(first, breaker.ask(first, now), Tally(10, 10), now)
    assert breaker.current(first, now).state == BreakerState.OPEN
    BreakerTransition.objects.update(at=now - timedelta(seconds=seconds))


def second_provider_fails() -> None:
    second, now = registry.account(OTHER), timezone.now()
    breaker.record(second, breaker.ask(second, now), Tally(10, 10), now)


def sender(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.provider, message.from_number


def test_a_text_that_was_never_tried_is_sent_by_the_second_provider(
    grace_with_two: Church,
) -> None:
    text = write(grace_with_two)
    first_provider_fails()
    providers = {alias: ScriptedProvider(alias) for alias in ("telnyx", OTHER)}
    accepted = Message.objects.filter(status=Status.ACCEPTED)
    run_until(Drain(Threads(2, lambda alias: providers[alias])), accepted.exists)
    assert sender(text) == (OTHER, SECOND)
    assert (text.status, len(providers["telnyx"].requests)) == (Status.ACCEPTED, 0)
    [sent] = providers[OTHER].requests
    assert sent.from_number == SECOND


@pytest.mark.parametrize("answer", [LOST, UNAVAILABLE], ids=["ambiguous", "refused for now"])
def test_a_text_with_a_call_behind_it_waits_for_its_own_provider(
    grace_with_two: Church, answer: Any, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "RETRY_DELAYS": (3600, 3600, 3600)}
    text = write(grace_with_two)
    tried = ScriptedProvider("telnyx", answers=[answer])
    Drain(Threads(1, lambda alias: tried)).run()
    first_provider_fails()
    later = timezone.now() + timedelta(hours=2)
    assert failover.move_waiting(later) == 0
    assert sender(text) == ("telnyx", FIRST)


def test_a_text_in_a_call_does_not_move(grace_with_two: Church) -> None:
    text, now = write(grace_with_two), timezone.now()
    Message.objects.filter(pk=text.pk).update(
        status=Status.SENDING, claimed_from=Status.QUEUED, call_started_at=now, lease_until=now,
        lease_token="8b8e8b0e-6a43-4d6c-9f4e-0f9f0d9d2a11",
    )  # fmt: skip
    first_provider_fails()
    assert failover.move_waiting(timezone.now()) == 0


def test_a_short_failure_moves_nothing(grace_with_two: Church) -> None:
    write(grace_with_two)
    first_provider_fails(seconds=10)
    assert failover.move_waiting(timezone.now()) == 0


def test_a_breaker_that_reopens_counts_from_when_it_first_opened(grace_with_two: Church) -> None:
    write(grace_with_two)
    first_provider_fails()
    for before, after in (("open", "half_open"), ("half_open", "open")):
        BreakerTransition.objects.create(
            account=registry.account("telnyx").name, before=before, after=after,
            reason="a probe", at=timezone.now(),
        )  # fmt: skip
    assert failover.move_waiting(timezone.now()) == 1


def test_an_order_to_stop_is_not_evaded(grace_with_two: Church) -> None:
    write(grace_with_two)
    first_provider_fails()
    breaker.force(registry.account("telnyx"), BreakerState.FORCED_OPEN, by=None, now=timezone.now())
    assert failover.move_waiting(timezone.now()) == 0


@pytest.mark.parametrize("why", ["down", "held", "not configured", "switched off"])
def test_nothing_moves_to_a_second_number_that_cannot_send(
    grace_with_two: Church, why: str, settings: Any
) -> None:
    text = write(grace_with_two)
    first_provider_fails()
    if why == "down":
        second_provider_fails()
    elif why == "held":
        holds.hold(registry.account(OTHER), "20003", "Suspended", now=timezone.now())
    elif why == "switched off":
        Church.objects.update(uses_second_number=False)
    else:
        first = settings.DELIVERY["PROVIDERS"]["telnyx"]
        third = {"BACKEND": "delivery.testing.ScriptedProvider"}
        settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"telnyx": first, "third": third}}
    assert failover.move_waiting(timezone.now()) == 0
    assert sender(text) == ("telnyx", FIRST)


def test_a_church_without_a_second_number_waits(grace: Church, hope: Church) -> None:
    text = write(hope)
    first_provider_fails()
    assert failover.move_waiting(timezone.now()) == 0
    assert sender(text) == ("telnyx", "+13125550200")


def test_only_as_many_move_as_the_second_number_sends_soon(
    grace_with_two: Church, settings: Any
) -> None:
    other = {**settings.DELIVERY["PROVIDERS"][OTHER], "SENDER_RATE": 1}
    settings.DELIVERY["PROVIDERS"][OTHER] = other
    for number in range(30):
        write(grace_with_two, to=f"+1312555{number:04}")
    first_provider_fails()
    assert failover.move_waiting(timezone.now()) == 20
    assert failover.move_waiting(timezone.now()) == 0
    assert Message.objects.filter(provider="telnyx").count() == 10


def test_a_moved_text_to_a_person_who_opts_out_is_not_sent(grace_with_two: Church) -> None:
    text = write(grace_with_two)
    first_provider_fails()
    assert failover.move_waiting(timezone.now()) == 1
    opt_outs.opt_out(grace_with_two.pk, text.to_number, OptOut.Source.KEYWORD, now=timezone.now())
    provider = ScriptedProvider(OTHER)
    Drain(Threads(1, lambda alias: provider)).run()
    text.refresh_from_db()
    assert (text.status, provider.requests) == (Status.SUPPRESSED, [])


def test_a_moved_text_keeps_its_second_number_when_the_first_provider_is_back(
    grace_with_two: Church,
) -> None:
    text = write(grace_with_two)
    first_provider_fails()
    failover.move_waiting(timezone.now())
    BreakerTransition.objects.all().delete()
    provider = ScriptedProvider(OTHER)
    Drain(Threads(1, lambda alias: provider)).run()
    assert sender(text) == (OTHER, SECOND)
    assert len(provider.requests) == 1
