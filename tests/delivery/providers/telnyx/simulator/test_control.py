from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from delivery.providers.simulator.ledger import Entry, Ledger
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER, ApiClient
from tests.delivery.providers.telnyx.simulator.receiver import Receiver


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("faults", {"fault": "nonsense"}, "nonsense"),
        ("faults", {"fault": "503", "cuont": 3}, "cuont"),
        ("faults", {"fault": "503", "count": "three"}, "count"),
        ("faults", {"fault": "503", "probability": -1}, "probability"),
        ("faults", {"fault": "503", "seconds": 3}, "seconds"),
        ("faults", {"fault": "503", "code": "40001"}, "code"),
        ("faults", {"fault": "delivery_failed", "code": "99999"}, "99999"),
        ("inbound", {"from": MEMBER}, "to"),
        ("inbound", {"from": MEMBER, "to": CHURCH}, "text"),
        ("inbound", {"from": MEMBER, "to": CHURCH, "text": "Hi"}, "--webhook-url"),
        ("outage", {"on": True, "mode": "earthquake"}, "refuse"),
        ("settings", {"rate": 0}, "rate"),
        ("settings", {"rate": "fast"}, "rate"),
        ("settings", {"speed": 1}, "speed"),
        ("latency", {"ms": "slow"}, "latency_ms"),
        ("webhooks", {"on": 1}, "webhooks"),
    ],
)
def test_a_bad_wish_is_named_and_changes_nothing(
    client: ApiClient, path: str, body: dict[str, Any], said: str
) -> None:
    before = client.ask("")
    answer = requests.post(f"{client.telnyx.control}/{path}", json=body, timeout=30)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert client.ask("") == before
    assert client.ask("faults")["faults"] == []


@pytest.mark.parametrize("mode", ["refuse", "close"])
def test_an_outage_of_the_connection(client: ApiClient, mode: str) -> None:
    assert client.post().status_code == 200
    client.control("outage", on=True, mode=mode)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            client.post()
    assert client.ask("ledger/summary")["accepted"] == 1
    client.control("outage", on=False)
    assert client.post().status_code == 200


def test_an_outage_of_the_service(client: ApiClient) -> None:
    client.control("outage", on=True, mode="503")
    assert client.post().status_code == 503
    assert client.get("messages/x").status_code == 503
    client.control("outage", on=True, mode="refuse")
    client.control("reset")
    assert client.post().status_code == 200


def test_latency_is_of_each_answer(client: ApiClient) -> None:
    client.control("latency", ms=150)
    assert client.post().elapsed.total_seconds() >= 0.15


def test_reset_forgets_all_but_the_keys(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url())
    client.control("faults", fault="503", probability=1)
    client.control("settings", rate=1)
    client.control("inbound", **{"from": MEMBER, "to": CHURCH, "text": "STOP"})
    api_key = client.telnyx.api_key
    client.control("reset")
    assert client.ask("")["options"]["rate"] > 1
    assert client.ask("opt-outs")["opt_outs"] == client.ask("faults")["faults"] == []
    assert client.ask("ledger/summary")["requests"] == 0
    assert client.telnyx.api_key == api_key
    assert client.post().status_code == 200


def test_the_ledger_is_paged_and_filtered(client: ApiClient) -> None:
    for number in range(5):
        client.post(to=f"+1312555010{number}", key=f"key-{number}")
    page = client.ask("ledger?after=1&limit=2")
    assert (page["total"], page["next"]) == (5, 3)
    assert [entry["idempotency_key"] for entry in page["entries"]] == ["key-1", "key-2"]
    assert client.ask("ledger?after=3")["next"] is None
    [entry] = client.ask("ledger?to=%2B13125550103")["entries"]
    assert entry == {
        "id": entry["id"], "to": "+13125550103", "from": CHURCH, "text": "Service at nine.",
        "idempotency_key": "key-3", "accepted_at": entry["accepted_at"], "replays": 0,
    }  # fmt: skip


def test_the_ledger_is_exact_under_a_crowd_and_faults(client: ApiClient) -> None:
    client.control("faults", fault="503", probability=0.2, seed=1)
    client.control("faults", fault="drop", probability=0.2, seed=2)

    def persist(number: int) -> int:
        """Send until it is answered, as the worker does. Return the number of tries."""
        for attempt in range(1, 50):
            try:
                answer = client.post_apart(key=f"k{number}", text=f"Text {number}")
            except requests.ConnectionError:
                continue
            if answer.status_code == 200:
                return attempt
        raise AssertionError("It never got through.")

    with ThreadPoolExecutor(8) as threads:
        attempts = sum(threads.map(persist, range(60)))
    summary = client.ask("ledger/summary")
    assert (summary["accepted"], summary["unique"], summary["duplicates"]) == (60, 60, {})
    assert summary["requests"] == attempts
    assert summary["requests"] == 60 + summary["replays"] + summary["refused"]["503"]
    assert {entry.text for entry in client.telnyx.ledger.entries} == {
        f"Text {n}" for n in range(60)
    }


def test_a_bounded_ledger_says_what_it_did_not_record() -> None:
    ledger = Ledger(capacity=2)
    for number in range(3):
        ledger.accept(_entry(str(number)))
    summary = ledger.summary()
    assert (summary["accepted"], summary["unrecorded"], len(ledger)) == (3, 1, 2)


def test_duplicates_are_counted_per_recipient() -> None:
    ledger = Ledger()
    texts = ["a", "a", "a", "b", "b", "c"]
    random.shuffle(texts)
    for text in texts:
        ledger.accept(_entry(text))
    assert ledger.summary()["duplicates"] == {MEMBER: 3}
    assert ledger.summary()["unique"] == 3


def _entry(text: str) -> Entry:
    return Entry(
        id=text, to=MEMBER, from_=CHURCH, text=text, idempotency_key=None, accepted_at="now"
    )
