"""``manage.py simulator twilio``, without the process around it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from delivery.providers.twilio.simulator import TwilioSimulator
from delivery.providers.twilio.simulator.command import Command, TwilioState

OPTIONS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "control_port": None,
    "number": ["+13125550100"],
    "webhook_url": "http://127.0.0.1:8000/webhooks/twilio/",
    "rate": 5,
    "latency_ms": 0,
}


class OnceState(TwilioState):
    """Stops the command as soon as the simulator has started, and keeps the simulator."""

    seen: TwilioSimulator

    def write(self, simulator: TwilioSimulator) -> str:
        OnceState.seen = simulator
        signal.raise_signal(signal.SIGTERM)
        return super().write(simulator)


class Once(Command):
    state = OnceState


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def run(directory: Path, **changes: Any) -> tuple[dict[str, Any], TwilioSimulator]:
    command = Once(stdout=StringIO())
    command.handle(**{**OPTIONS, "data_dir": directory, **changes})
    file = directory / "twilio-simulator.json"
    assert file.stat().st_mode & 0o777 == 0o600
    found: dict[str, Any] = json.loads(file.read_text())
    return found, OnceState.seen


def test_it_writes_and_keeps_its_values(tmp_path: Path) -> None:
    first, simulator = run(tmp_path / "new")
    assert set(first) == {
        "base", "account_sid", "auth_token", "api_key", "api_secret", "control",
    }  # fmt: skip
    assert simulator.account.options.rate == 5
    assert simulator.account.numbers.all() == ["+13125550100"]
    again, _ = run(tmp_path / "new")
    assert {**again, "base": ""} == {**first, "base": ""}


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "twilio-simulator.json").write_text("{")
    assert run(tmp_path)[0]["account_sid"].startswith("AC")


def test_a_busy_port_is_named(twilio: TwilioSimulator, tmp_path: Path) -> None:
    port = int(twilio.base.rpartition(":")[2])
    with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1:{port}"):
        run(tmp_path, port=port)


def test_its_help_names_the_magic_numbers() -> None:
    parser = Command().create_parser("manage.py", "simulator twilio")
    text = parser.format_help()
    assert "+15005550004  21610" in text
    assert "--webhook-url" in text
