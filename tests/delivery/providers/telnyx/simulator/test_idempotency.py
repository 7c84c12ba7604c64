from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from delivery.providers.simulator.server import Answer
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.idempotency import KEPT_SECONDS, IdempotencyKeys
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER, ApiClient, code_of
from tests.support.waiting import wait_until


def test_the_same_again_replays_the_first_answer(client: ApiClient) -> None:
    first, again = client.post(key="a"), client.post(key="a")
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    [entry] = client.telnyx.ledger.entries
    assert (entry.idempotency_key, entry.replays) == ("a", 1)


def test_another_body_is_refused(client: ApiClient) -> None:
    client.post(key="a")
    answer = client.post(key="a", text="Another")
    assert (answer.status_code, code_of(answer)) == (422, "10027")


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "dot.ted"])
def test_a_malformed_key_is_refused(client: ApiClient, key: str) -> None:
    answer = client.post(key=key)
    assert (answer.status_code, code_of(answer)) == (400, "10015")
    assert len(client.telnyx.ledger) == 0


def test_two_keys_are_refused(client: ApiClient) -> None:
    connection = http.client.HTTPConnection(urlsplit(client.telnyx.base).netloc, timeout=30)
    body = json.dumps({"from": CHURCH, "to": MEMBER, "text": "Hello"}).encode()
    connection.putrequest("POST", "/v2/messages")
    connection.putheader("Authorization", f"Bearer {client.telnyx.api_key}")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Idempotency-Key", "a")
    connection.putheader("Idempotency-Key", "b")
    connection.endheaders(body)
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["errors"][0]["code"] == "10015"
    connection.close()


def test_a_refusal_frees_the_key(client: ApiClient) -> None:
    client.control("faults", fault="503")
    assert client.post(key="a").status_code == 503
    assert client.post(key="a", text="").status_code == 400
    assert client.post(key="a").status_code == 200


def test_in_progress_is_a_conflict(client: ApiClient) -> None:
    client.control("faults", fault="slow", seconds=4)
    slow = threading.Thread(target=client.post, kwargs={"key": "a"})
    slow.start()
    wait_until(lambda: len(client.telnyx.ledger) == 1)
    answer = client.post_apart(key="a")
    assert (answer.status_code, code_of(answer)) == (409, "10036")
    slow.join()
    assert client.post(key="a").headers["idempotent-replayed"] == "true"


def test_a_dropped_answer_is_found_again(client: ApiClient) -> None:
    client.control("faults", fault="drop", count=1)
    with pytest.raises(requests.ConnectionError):
        client.post(key="a")
    answer = client.post(key="a")
    assert answer.json()["data"]["id"] == client.telnyx.ledger.entries[0].id


def test_of_many_at_once_one_is_accepted(client: ApiClient) -> None:
    client.control("latency", ms=20)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.post_apart(key="a"), range(16)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len(client.telnyx.ledger) == 1


def test_a_key_is_forgotten_after_a_day() -> None:
    now = 1000.0
    keys = IdempotencyKeys(clock=lambda: now)
    assert keys.begin("POST /v2/messages", "a", b"one") is None
    keys.finish("POST /v2/messages", "a", Answer(body=b"first"))
    now += KEPT_SECONDS - 1
    replay = keys.begin("POST /v2/messages", "a", b"one")
    assert replay is not None
    assert replay.body == b"first"
    with pytest.raises(RefusedError, match="10027"):
        keys.begin("POST /v2/messages", "a", b"other")
    now += 1
    assert keys.begin("POST /v2/messages", "a", b"other") is None


def test_a_key_belongs_to_its_path() -> None:
    keys = IdempotencyKeys()
    assert keys.begin("POST /v2/messages", "a", b"one") is None
    assert keys.begin("POST /v2/messages/long_code", "a", b"one") is None
