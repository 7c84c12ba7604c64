"""The HTTP client against the simulator: what each fault of the network comes to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from delivery.models import Outcome
from delivery.providers.base import SendRequest
from delivery.providers.telnyx.client import TelnyxProvider
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.numbers import NUMBER_OF

R, A = Outcome.RETRYABLE, Outcome.AMBIGUOUS


@pytest.fixture
def telnyx(settings: Any) -> Iterator[TelnyxSimulator]:
    with TelnyxSimulator() as simulator:
        settings.DELIVERY = {
            **settings.DELIVERY, "API_BASE": simulator.base, "API_KEY": simulator.api_key,
            "READ_TIMEOUT": 0.5,
        }  # fmt: skip
        yield simulator


def request(to: str, key: str = "m:1:1:abc") -> SendRequest:
    body = b'{"from":"+13125550100","to":"%s","text":"Hello"}' % to.encode()
    return SendRequest(message_id=1, generation=1, idempotency_key=key, body=body)


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ("drop", A, 1), ("slow", A, 1), ("broken_json", A, 1), ("no_id", A, 1),
        ("accepted_504", A, 1), ("close", A, 0), ("500", R, 0), ("500_html", A, 0),
        ("503_html", R, 0), ("504_empty", A, 0), ("40300", Outcome.PERMANENT, 0),
        ("20100", Outcome.CONFIGURATION, 0), ("429", Outcome.THROTTLED, 0),
    ],
)  # fmt: skip
def test_a_fault_is_classed_by_whether_the_text_may_have_been_taken(
    telnyx: TelnyxSimulator, fault: str, outcome: Outcome, taken: int
) -> None:
    assert TelnyxProvider().send(request(NUMBER_OF[fault])).outcome == outcome
    assert len(telnyx.ledger) == taken


def test_the_same_key_gives_the_same_id(telnyx: TelnyxSimulator) -> None:
    provider = TelnyxProvider()
    first, again = (provider.send(request("+13125550001")) for _ in range(2))
    assert first.provider_id == again.provider_id != ""
    assert len(telnyx.ledger) == 1


def test_where_nobody_listens_nothing_was_sent(telnyx: TelnyxSimulator) -> None:
    telnyx.start_outage("refuse")
    assert TelnyxProvider().send(request("+13125550001")).outcome == R


def test_a_wrong_key_is_a_matter_of_configuration(telnyx: TelnyxSimulator, settings: Any) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "API_KEY": "KEYwrong"}
    told = TelnyxProvider().send(request("+13125550001"))
    assert (told.outcome, told.hold) == (Outcome.CONFIGURATION, True)
