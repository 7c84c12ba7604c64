"""Every fault of a POST, by magic number and by the control API."""

from __future__ import annotations

import pytest
import requests

from delivery.providers.simulator.faults import Refusal
from delivery.providers.telnyx.simulator.codes import SYNCHRONOUS
from delivery.providers.telnyx.simulator.faults import FAULTS
from delivery.providers.telnyx.simulator.numbers import NUMBER_OF, RECIPIENTS, RECOVERING
from tests.delivery.providers.telnyx.simulator.api_client import MEMBER, ApiClient, code_of
from tests.support.waiting import wait_until

REFUSALS = {
    name: fault.answer
    for name, fault in FAULTS.items()
    if isinstance(fault, Refusal) and not fault.answer.hangs_up
}


@pytest.mark.parametrize("code", SYNCHRONOUS)
def test_each_code_has_its_status_and_number(client: ApiClient, code: str) -> None:
    answer = client.post(to=NUMBER_OF[code])
    assert (answer.status_code, code_of(answer)) == (SYNCHRONOUS[code].status, code)
    assert answer.json()["errors"][0]["title"] == SYNCHRONOUS[code].title
    assert client.ask("ledger/summary")["refused"] == {code: 1}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_planned_refusal_strikes_once_and_accepts_nothing(client: ApiClient, name: str) -> None:
    client.control("faults", fault=name, count=1)
    answer = client.post()
    assert (answer.status_code, answer.content) == (REFUSALS[name].status, REFUSALS[name].body)
    assert len(client.telnyx.ledger) == 0
    assert client.post().status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "content_type", "starts"),
    [
        ("500", 500, "application/json", '{"errors"'),
        ("500_html", 500, "text/html", "<html>"),
        ("500_empty", 500, "application/json", ""),
        ("503_html", 503, "text/html", "<html>"),
    ],
)
def test_server_errors_come_as_json_as_html_and_empty(
    client: ApiClient, name: str, status: int, content_type: str, starts: str
) -> None:
    answer = client.post(to=NUMBER_OF[name])
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.text.startswith(starts)
    assert bool(answer.text) == bool(starts)


def test_429_says_when_or_does_not(client: ApiClient) -> None:
    assert client.post(to=NUMBER_OF["429"]).headers["retry-after"] == "1"
    assert "retry-after" not in client.post(to=NUMBER_OF["429_without_retry_after"]).headers
    client.control("faults", fault="429", retry_after="17")
    assert client.post().headers["retry-after"] == "17"


@pytest.mark.parametrize(("name", "accepted"), [("close", 0), ("refuse", 0), ("drop", 1)])
def test_a_lost_answer(client: ApiClient, name: str, accepted: int) -> None:
    client.control("faults", fault=name)
    with pytest.raises(requests.ConnectionError):
        client.post()
    assert len(client.telnyx.ledger) == accepted


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("broken_json", 200, b'{"data":{"id":"40'),
        ("no_id", 200, b'{"data":{"record_type":"message"}}'),
        ("accepted_504", 504, b"<html>Gateway timeout</html>"),
    ],
)
def test_a_spoilt_answer_hides_an_accepted_text(
    client: ApiClient, name: str, status: int, body: bytes
) -> None:
    answer = client.post(key="one", to=NUMBER_OF[name])
    assert (answer.status_code, answer.content) == (status, body)
    again = client.post(key="one", to=NUMBER_OF[name])
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["data"]["id"] == client.telnyx.ledger.entries[0].id
    assert len(client.telnyx.ledger) == 1


def test_a_slow_answer_outlasts_the_client_but_the_text_is_accepted(client: ApiClient) -> None:
    client.control("faults", fault="slow", seconds=1)
    with pytest.raises(requests.Timeout):
        client.post(timeout=(30, 0.05))  # the connection stands in time, the answer does not
    wait_until(lambda: len(client.telnyx.ledger) == 1)


@pytest.mark.parametrize(("number", "times"), [(n, t) for n, t in RECOVERING.items() if t <= 3])
def test_some_numbers_recover(client: ApiClient, number: str, times: int) -> None:
    statuses = [client.post(to=number).status_code for _ in range(times + 1)]
    assert statuses == [503] * times + [200]


def test_a_fault_can_be_for_one_recipient(client: ApiClient) -> None:
    client.control("faults", fault="503", to=MEMBER, for_seconds=60)
    assert client.post(to="+13125550003").status_code == 200
    assert client.post(to=MEMBER).status_code == 503


def test_chance_repeats_with_its_seed(client: ApiClient) -> None:
    def statuses() -> list[int]:
        client.control("reset")
        client.control("faults", fault="503", probability=0.5, seed=7)
        return [client.post().status_code for _ in range(30)]

    first = statuses()
    assert first == statuses()
    assert 5 < first.count(503) < 25


def test_faults_end_with_a_clear(client: ApiClient) -> None:
    client.control("faults", fault="503", probability=1)
    assert client.post().status_code == 503
    requests.delete(f"{client.telnyx.control}/faults", timeout=30)
    assert client.post().status_code == 200


def test_numbers_are_real_ones_that_a_directory_accepts() -> None:
    import phonenumbers

    for number in (*RECIPIENTS, *RECOVERING):
        assert phonenumbers.is_valid_number(phonenumbers.parse(number)), number


def test_every_number_is_of_one_fault() -> None:
    assert len(NUMBER_OF) == len(RECIPIENTS)
    assert set(RECIPIENTS.values()) <= set(FAULTS)
    assert not set(RECIPIENTS) & set(RECOVERING)
