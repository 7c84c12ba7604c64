"""The HTTP client against the simulator: the outcome of each network fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from delivery.models import Outcome
from delivery.providers.telnyx.provider import TelnyxProvider
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.numbers import NUMBER_OF
from tests.delivery.accounts import with_provider
from tests.delivery.providers.texts import outbound

R, A = Outcome.RETRYABLE, Outcome.AMBIGUOUS


@pytest.fixture
def telnyx(settings: Any) -> Iterator[TelnyxSimulator]:
    with TelnyxSimulator() as simulator:
        provider = with_provider(settings, API_BASE=simulator.base, API_KEY=simulator.api_key)
        settings.DELIVERY = {**provider, "READ_TIMEOUT": 0.5}
        yield simulator


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ("drop", A, 1), ("slow", A, 1), ("broken_json", A, 1), ("no_id", A, 1),
        ("accepted_504", A, 1), ("close", A, 0), ("500", R, 0), ("500_html", A, 0),
        ("503_html", R, 0), ("504_empty", A, 0), ("40300", Outcome.PERMANENT, 0),
        ("20100", Outcome.CONFIGURATION, 0), ("429", Outcome.THROTTLED, 0),
    ],
)  # fmt: skip
def test_a_fault_is_ambiguous_if_the_text_may_have_been_accepted(
    telnyx: TelnyxSimulator, fault: str, outcome: Outcome, taken: int
) -> None:
    assert TelnyxProvider().send(outbound(NUMBER_OF[fault])).kind == outcome
    assert len(telnyx.ledger) == taken


def test_the_same_key_gives_the_same_id(telnyx: TelnyxSimulator) -> None:
    provider = TelnyxProvider()
    first, again = (provider.send(outbound("+13125550001")) for _ in range(2))
    assert first.provider_id == again.provider_id != ""
    assert len(telnyx.ledger) == 1


def test_a_refused_connection_sent_nothing(telnyx: TelnyxSimulator) -> None:
    telnyx.start_outage("refuse")
    assert TelnyxProvider().send(outbound("+13125550001")).kind == R


def test_a_wrong_key_is_a_configuration_error(telnyx: TelnyxSimulator, settings: Any) -> None:
    settings.DELIVERY = with_provider(settings, API_KEY="KEYwrong")
    told = TelnyxProvider().send(outbound("+13125550001"))
    assert (told.kind, told.hold) == (Outcome.CONFIGURATION, True)
