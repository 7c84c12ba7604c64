from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.registration import register
from delivery.providers.telnyx.simulator.state import State
from tests.delivery.accounts import with_provider
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, ApiClient

OTHER = "+13125550199"


@pytest.fixture
def strict() -> Iterator[ApiClient]:
    """Return an account that owns only the church's number."""
    with TelnyxSimulator(numbers=OwnNumbers([CHURCH])) as telnyx, ApiClient(telnyx) as client:
        yield client


def numbers(client: ApiClient, **body: Any) -> requests.Response:
    return requests.post(f"{client.telnyx.control}/numbers", json=body, timeout=30)


def test_a_number_of_the_account_sends_and_another_is_refused_as_telnyx_does(
    strict: ApiClient,
) -> None:
    assert strict.post().status_code == 200
    refused = strict.post(sender=OTHER)
    error = refused.json()["errors"][0]
    assert (refused.status_code, error["code"], error["title"]) == (
        400, "40305", "Invalid 'from' address",
    )  # fmt: skip
    assert strict.post(sender="GRACE").json()["errors"][0]["code"] == "40305"


def test_the_control_api_gives_and_takes_numbers_while_it_runs(strict: ApiClient) -> None:
    assert numbers(strict, add=[OTHER]).json() == {"numbers": [CHURCH, OTHER]}
    assert strict.post(sender=OTHER).status_code == 200
    assert numbers(strict, remove=[OTHER]).json() == {"numbers": [CHURCH]}
    assert strict.post(sender=OTHER).status_code == 400
    assert numbers(strict, add="+1312").status_code == 400
    assert numbers(strict, give=[OTHER]).status_code == 400


def test_without_any_number_named_every_sender_is_taken(client: ApiClient) -> None:
    assert client.post(sender=OTHER).status_code == 200


def test_a_reset_goes_back_to_the_numbers_of_the_start(strict: ApiClient) -> None:
    numbers(strict, add=[OTHER])
    requests.post(f"{strict.telnyx.control}/reset", timeout=30)
    assert strict.post(sender=OTHER).status_code == 400
    assert strict.post().status_code == 200


def test_a_number_that_is_looked_up_is_known_from_then_on() -> None:
    known, asked = {OTHER}, list[str]()

    def look_up(number: str) -> bool:
        asked.append(number)
        return number in known

    own = OwnNumbers(look_up=look_up)
    assert not own.has(CHURCH)
    known.add(CHURCH)
    assert own.has(CHURCH)
    known.clear()
    assert own.has(CHURCH)
    assert asked == [CHURCH, CHURCH]


def test_a_command_tells_the_running_simulator_of_a_new_number(
    strict: ApiClient, tmp_path: Path, settings: Any
) -> None:
    settings.DELIVERY = with_provider(settings, API_BASE=strict.telnyx.base)
    assert not register([OTHER], tmp_path)
    State.in_directory(tmp_path).write(strict.telnyx)
    assert register([OTHER], tmp_path)
    assert strict.post(sender=OTHER).status_code == 200
    settings.DELIVERY = with_provider(settings, API_BASE="https://api.telnyx.example/v2")
    assert not register([OTHER], tmp_path)
