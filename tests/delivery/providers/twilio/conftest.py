from __future__ import annotations

from collections.abc import Iterator

import pytest

from delivery.providers.twilio.provider import TwilioProvider
from delivery.providers.twilio.simulator import Options, TwilioSimulator
from tests.delivery.providers.twilio.api_client import ApiClient, Receiver


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


@pytest.fixture(scope="session")
def receiver_process_wide() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(receiver_process_wide: Receiver, twilio: TwilioSimulator) -> Receiver:
    """Return a webhook host with an empty inbox."""
    receiver_process_wide.clear()
    return receiver_process_wide


@pytest.fixture
def provider(twilio: TwilioSimulator, settings: object) -> Iterator[TwilioProvider]:
    """Return our provider, configured for the simulator."""
    delivery = getattr(settings, "DELIVERY", {})
    options = {
        "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
        "ACCOUNT_SID": twilio.credentials.account_sid,
        "AUTH_TOKEN": twilio.credentials.auth_token,
        "API_KEY": twilio.credentials.api_key,
        "API_SECRET": twilio.credentials.api_secret,
        "API_BASE": twilio.base,
    }
    settings.DELIVERY = {  # type: ignore[attr-defined]
        **delivery,
        "PROVIDERS": {**delivery.get("PROVIDERS", {}), "twilio": options},
    }
    provider = TwilioProvider()
    yield provider
    provider.close()
