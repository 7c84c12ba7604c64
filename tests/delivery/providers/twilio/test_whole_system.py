"""Web, worker and the simulated Twilio: texts go out once, reports and STOP come in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from delivery.providers.twilio.simulator import TwilioSimulator
from tests.delivery.providers.twilio.api_client import ApiClient
from tests.support.running_system import ROOT, RunningSystem, database_environment
from tests.support.waiting import wait_until

TEXTS = 50
OURS = "+13125550177"


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioSimulator]:
    with TwilioSimulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def system(
    twilio: TwilioSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSystem]:
    credentials = twilio.credentials
    environment = {
        "TWILIO_ACCOUNT_SID": credentials.account_sid,
        "TWILIO_AUTH_TOKEN": credentials.auth_token,
        "TWILIO_API_KEY": credentials.api_key,
        "TWILIO_API_SECRET": credentials.api_secret,
        "TWILIO_API_BASE": twilio.base,
        "DELIVERY_ACCOUNT_RATE": "1000",
        "DELIVERY_SENDER_RATE": "1000",
        "THROTTLING_ENABLED": "0",
        **database_environment(),
    }
    data_dir = tmp_path_factory.mktemp("twilio") / "system"
    with RunningSystem(data_dir, **environment) as system:
        twilio.account.options.change({"webhook_url": f"{system.url}/webhooks/twilio/"})
        subprocess.run(
            [sys.executable, "manage.py", "number", "give", "grace", OURS, "--provider", "twilio"],
            cwd=ROOT,
            env={**os.environ, **environment, "DATA_DIR": str(data_dir)},
            check=True,
        )
        yield system


class Api:
    """The API of Grace church, for its owner."""

    def __init__(self, system: RunningSystem) -> None:
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {system.token('grace-owner')}"
        self._church = f"{system.url}/api/v1/churches/grace/"

    def get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(self._church + path, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def send(self, to: str, text: str) -> str:
        answer = self._http.post(
            f"{self._church}messages/", json={"to": to, "text": text}, timeout=10
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def message(self, key: str) -> dict[str, Any]:
        return self.get(f"messages/{key}/")

    def status(self, key: str) -> str:
        return str(self.message(key)["status"])


@pytest.fixture(scope="module")
def api(system: RunningSystem) -> Api:
    return Api(system)


@pytest.fixture
def sent_to(twilio: TwilioSimulator) -> Any:
    def count(number: str) -> int:
        return sum(entry.to == number for entry in twilio.ledger.entries)

    return count


def test_fifty_texts_are_delivered_once_each(api: Api, twilio: TwilioSimulator) -> None:
    before = len(twilio.ledger)
    keys = [api.send(f"+1312555{1000 + n}", f"Rehearsal {n}") for n in range(TEXTS)]
    wait_until(lambda: {api.status(key) for key in keys} == {"delivered"}, 60)
    assert len(twilio.ledger) - before == TEXTS
    assert twilio.ledger.summary()["duplicates"] == {}
    message = api.message(keys[0])
    assert (message["attempts"], message["parts"], message["error"]) == (1, 1, None)
    assert message["delivered_at"] is not None


def test_a_lost_answer_is_settled_by_the_callback_and_never_sent_twice(
    api: Api, twilio: TwilioSimulator, sent_to: Any
) -> None:
    with ApiClient(twilio) as client:
        client.control("faults", fault="drop", to="+13125552001")
        client.control("faults", fault="created_504", to="+13125552002")
    keys = [api.send(f"+1312555200{n}", "Choir at seven.") for n in (1, 2)]
    wait_until(lambda: {api.status(key) for key in keys} == {"delivered"}, 60)
    assert [sent_to(f"+1312555200{n}") for n in (1, 2)] == [1, 1]


def test_without_a_callback_a_lost_answer_ends_as_unknown(
    api: Api, twilio: TwilioSimulator, sent_to: Any
) -> None:
    with ApiClient(twilio) as client:
        for fault in ("drop", "lost"):
            client.control("faults", fault=fault, to="+13125552003")
    key = api.send("+13125552003", "Choir at eight.")
    wait_until(lambda: api.status(key) == "unknown", 60)
    assert sent_to("+13125552003") == 1
    assert api.message(key)["error"]["code"] == "answer_lost"


def test_a_stop_by_text_opts_out(api: Api, twilio: TwilioSimulator, sent_to: Any) -> None:
    number = "+13125552004"
    first = api.send(number, "Welcome!")
    wait_until(lambda: api.status(first) == "delivered", 60)
    with ApiClient(twilio) as client:
        client.control("inbound", **{"from": number, "to": OURS, "text": "STOP"})

    def received() -> list[Any]:
        found = api.get("messages/?direction=inbound")["results"]
        return [one for one in found if one["from"] == number]

    [stop] = wait_until(received, 60)
    assert (stop["text"], stop["status"]) == ("STOP", "received")
    wait_until(lambda: api.status(api.send(number, "Hello?")) == "suppressed", 60)
    assert sent_to(number) == 1


def test_a_stop_that_only_twilio_knows_opts_out_too(
    api: Api, twilio: TwilioSimulator, sent_to: Any
) -> None:
    number = "+13125552005"
    with ApiClient(twilio) as client:
        client.control("faults", fault="21610", to=number)
    refused = api.send(number, "Hello?")
    wait_until(lambda: api.status(refused) == "suppressed", 60)
    again = api.send(number, "Hello again?")
    wait_until(lambda: api.status(again) == "suppressed", 60)
    assert sent_to(number) == 0


def test_a_strangers_callback_is_refused(system: RunningSystem) -> None:
    answer = requests.post(
        f"{system.url}/webhooks/twilio/m1/",
        data={"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"},
        headers={"X-Twilio-Signature": "AAAA"},
        timeout=60,
    )
    assert answer.status_code == 400
