from __future__ import annotations

from collections.abc import Iterator

import pytest

from delivery.providers.twilio.provider import TwilioProvider
from delivery.providers.twilio.simulator import Options, TwilioSimulator
from tests.delivery.providers.twilio.api_client import ApiClient, Receiver, settings_for


@pytest.fixture(scope="session")
def twilio_process_wide() -> Iterator[TwilioSimulator]:
    with TwilioSimulator(options=Options(sent_seconds=0, carrier_seconds=0.005)) as simulator:
        yield simulator


@pytest.fixture
def twilio(twilio_process_wide: TwilioSimulator) -> Iterator[TwilioSimulator]:
    """Return the simulator after a reset."""
    twilio_process_wide.reset()
    yield twilio_process_wide
    twilio_process_wide.end_outage()


@pytest.fixture
def client(twilio: TwilioSimulator) -> Iterator[ApiClient]:
    with ApiClient(twilio) as client:
        yield client


@pytest.fixture
def receiver(twilio: TwilioSimulator) -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def provider(twilio: TwilioSimulator, settings: object) -> Iterator[TwilioProvider]:
    """Return our provider, configured for the simulator."""
    delivery = getattr(settings, "DELIVERY", {})
    settings.DELIVERY = {  # type: ignore[attr-defined]
        **delivery,
        "PROVIDERS": {**delivery.get("PROVIDERS", {}), "twilio": settings_for(twilio)},
    }
    provider = TwilioProvider()
    yield provider
    provider.close()
