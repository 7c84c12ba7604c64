"""Telnyx is down for a minute while a broadcast runs: all of it arrives, no text twice.

Grace church has a second number with Twilio and uses it. Both simulators stand outside of the system;
their ledgers are the witnesses.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from delivery.providers.simulator.ledger import Entry
from delivery.providers.telnyx.simulator import Options, TelnyxSimulator
from delivery.providers.twilio.simulator import Options as TwilioOptions
from delivery.providers.twilio.simulator import TwilioSimulator
from tests.delivery.chaos import ledger
from tests.delivery.chaos.staff import Writer
from tests.support.running_system import RunningSystem, database_environment
from tests.support.waiting import wait_until

FIRST, SECOND = "+13125550001", "+13125550190"
MEMBERS = 300


@dataclass
class Stage:
    system: RunningSystem
    telnyx: TelnyxSimulator
    twilio: TwilioSimulator

    def taken(self, mark: str) -> dict[str, list[Entry]]:
        """Return what each provider took of the broadcast."""
        simulators = {"telnyx": self.telnyx, "twilio": self.twilio}
        return {
            alias: [entry for entry in simulator.ledger.entries if entry.text.startswith(mark)]
            for alias, simulator in simulators.items()
        }


@pytest.fixture
def stage() -> Iterator[Stage]:
    # Not pytest's directory: its paths are too long for a unix socket.
    directory = Path(tempfile.mkdtemp(prefix="failover-"))
    quick = Options(sent_seconds=0, carrier_seconds=0.005, latency_ms=50)
    with (
        TelnyxSimulator(options=quick) as telnyx,
        TwilioSimulator(options=TwilioOptions(latency_ms=50)) as twilio,
        RunningSystem(
            directory / "system",
            DJANGO_SETTINGS_MODULE="tests.delivery.chaos.failover_settings",
            TELNYX_API_BASE=telnyx.base,
            TELNYX_API_KEY=telnyx.api_key,
            TELNYX_PUBLIC_KEY=telnyx.public_key,
            TWILIO_ACCOUNT_SID=twilio.credentials.account_sid,
            TWILIO_AUTH_TOKEN=twilio.credentials.auth_token,
            TWILIO_API_BASE=twilio.base,
            THROTTLING_ENABLED="0",
            DELIVERY_BREAKER_OPEN_SECONDS="1",
            # Slow enough that the outage meets the broadcast in flight.
            DELIVERY_SENDER_RATE="20",
            **database_environment(),
        ) as system,
    ):
        system.manage("number", "second", "grace", SECOND, "--provider", "twilio")
        system.manage("number", "failover", "grace", "on")
        yield Stage(system, telnyx, twilio)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.chaos
@pytest.mark.parametrize("kind", ["refuse", "503", "close"])
def test_a_broadcast_arrives_through_the_second_number(stage: Stage, kind: str) -> None:
    mark, office = f"{uuid.uuid4().hex[:8]} ", Writer(stage.system, "grace-owner")
    body = {"text": f"{mark}for {{first_name}}", "audience": {"all": True}}
    broadcast = office.post("broadcasts/", body)["id"]
    wait_until(lambda: len(stage.taken(mark)["telnyx"]) > 20, 60)

    stage.telnyx.start_outage(kind)
    down = time.monotonic()
    wait_until(lambda: len(stage.taken(mark)["twilio"]) > 100, 90)
    # A minute of outage is the promise; the wait above is a part of it.
    time.sleep(max(0.0, 60 - (time.monotonic() - down)))
    stage.telnyx.end_outage()

    def counts() -> dict[str, int]:
        return {k: n for k, n in office.get(f"broadcasts/{broadcast}/")["counts"].items() if n}

    wait_until(lambda: counts() == {"delivered": MEMBERS}, 180, pause=0.5)
    taken = stage.taken(mark)
    everything = [entry for entries in taken.values() for entry in entries]
    assert ledger.doubled(everything) == []
    assert len(everything) == MEMBERS
    assert min(len(entries) for entries in taken.values()) > 0
