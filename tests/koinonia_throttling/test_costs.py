"""``messages`` and ``broadcasts`` count accepted requests; a bulk retry costs its messages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.models import Church
from tests.support import cast

Bearer = Callable[[User], dict[str, str]]
G = "/api/v1/churches/grace/"
TO = "+13125550177"


def remaining(answer: Any) -> dict[str, int]:
    """Return the remaining tokens in the answer, by policy."""
    items = [one.split(";") for one in answer["RateLimit"].split(",")]
    return {name.strip('"'): int(rest[0].removeprefix("r=")) for name, *rest in items}


@pytest.fixture
def post(grace: Church, grace_sender: User, bearer: Bearer, settings: Settings) -> Any:
    rates = {"messages": "100/d", "broadcasts": "10/d", "api": "1000/d:200"}
    declared = dict(settings.THROTTLING["POLICIES"])
    for name, rate in rates.items():
        declared[name] = {**declared.get(name, {}), "rate": rate}
    settings.THROTTLING = {**settings.THROTTLING, "POLICIES": declared}
    headers = bearer(grace_sender)

    def ask(path: str, body: Any, **more: str) -> Any:
        client = Client(raise_request_exception=False)
        return client.post(
            G + path, body, content_type="application/json", headers={**headers, **more}
        )

    return ask


def dead_letters(church: Church, number: int, **over: Any) -> list[str]:
    now = timezone.now()
    values: dict[str, Any] = {
        "tenant": church, "from_number": church.phone_number, "status": Status.DEAD, "text": "x",
        "error_code": "40001", "error_class": "retryable", "dead_since": now, "created_at": now,
        "updated_at": now, **over,
    }  # fmt: skip
    first = Message.objects.count()
    made = Message.objects.bulk_create(
        [Message(to_number=f"+1312556{first + place:04}", **values) for place in range(number)]
    )
    return [ids.encode(message.pk) for message in made]


REFUSED = [
    ("messages/", {"to": TO, "text": ""}, "messages", 100, 400),
    ("messages/", {"to": "12", "text": "Hi"}, "messages", 100, 400),
    ("messages/", {"to": TO, "text": "Hi", "zebra": 1}, "messages", 100, 400),
    ("messages/", "{", "messages", 100, 400),
    ("conversations/zzzz/messages/", {"text": "Hi"}, "messages", 100, 404),
    ("broadcasts/", {"text": "Hi {nobody}", "audience": {"all": True}}, "broadcasts", 10, 400),
    ("broadcasts/", {"text": "Hi", "audience": {"groups": ["zzzz"]}}, "broadcasts", 10, 400),
    ("broadcasts/", {"text": "Hi", "audience": {"all": True}}, "broadcasts", 10, 400),
    ("dead-letters/retry/", {"ids": ["zzzz", "Uk"]}, "messages", 100, 400),
    ("dead-letters/retry/", {"filter": {"kode": "1"}}, "messages", 100, 400),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "policy", "burst", "status"), REFUSED)
def test_a_refused_request_costs_a_request_and_no_message(
    post: Any, path: str, body: Any, policy: str, burst: int, status: int
) -> None:
    answers = [post(path, body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert [remaining(answer)[policy] for answer in answers] == [burst] * 3
    assert [remaining(answer)["api"] for answer in answers] == [199, 198, 197]


def test_refused_broadcasts_leave_the_ten_of_the_hour(post: Any, grace: Church) -> None:
    cast.member(grace, "Anna", "+13125550111")
    good = {"text": "Hi", "audience": {"all": True}}
    bad = {"text": "Hi {nobody}", "audience": {"all": True}}
    codes = [post("broadcasts/", body).status_code for body in [bad, good] * 10]
    assert codes == [400, 202] * 10
    last = post("broadcasts/", good)
    assert (last.status_code, last.json()["violated-policies"]) == (429, ["broadcasts"])


def test_a_key_reused_with_another_body_costs_no_message(post: Any) -> None:
    key = {"Idempotency-Key": "once"}
    assert remaining(post("messages/", {"to": TO, "text": "a"}, **key))["messages"] == 99
    other = post("messages/", {"to": TO, "text": "b"}, **key)
    assert (other.status_code, remaining(other)["messages"]) == (422, 99)


def test_a_server_error_costs_no_message(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("koinonia.texts.send.accept_message", fail)
    answer = post("messages/", {"to": TO, "text": "a"})
    assert (answer.status_code, remaining(answer)["messages"]) == (500, 100)


@pytest.mark.parametrize("by", ["ids", "filter"])
def test_a_bulk_retry_costs_a_request_and_a_message_per_retried_message(
    post: Any, grace: Church, by: str
) -> None:
    named = dead_letters(grace, 7)
    body = {"ids": named * 3} if by == "ids" else {"filter": {"code": "40001"}}
    answer = post("dead-letters/retry/", body)
    assert (answer.status_code, answer.json()["retried"]) == (202, 7)
    assert remaining(answer) == {"messages": 93, "api": 193, "conditional": 5999}


@pytest.mark.parametrize("by", ["ids", "filter"])
def test_messages_that_are_not_retried_cost_nothing(post: Any, grace: Church, by: str) -> None:
    named = dead_letters(grace, 2) + dead_letters(grace, 5, status=Status.UNKNOWN)
    body = {"ids": named} if by == "ids" else {"filter": {"all": True}}
    answer = post("dead-letters/retry/", body)
    assert (answer.json()["retried"], len(answer.json()["refused"])) == (2, 5)
    assert remaining(answer) == {"messages": 98, "api": 198, "conditional": 5999}


@pytest.mark.parametrize("by", ["ids", "filter"])
def test_a_retry_of_more_than_the_burst_is_bad_input(post: Any, grace: Church, by: str) -> None:
    named = dead_letters(grace, 101)
    body = {"ids": named} if by == "ids" else {"filter": {"all": True}}
    answer = post("dead-letters/retry/", body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "100" in answer.json()["detail"]
    assert Message.objects.filter(status=Status.DEAD).count() == 101
    again = post("dead-letters/retry/", {"ids": named[:100]})
    assert (again.status_code, again.json()["retried"]) == (202, 100)
    assert remaining(again)["messages"] == 0
    refused = post("dead-letters/retry/", {"ids": named[100:]})
    assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["messages"])


@pytest.mark.parametrize("by", ["ids", "filter"])
def test_a_replayed_retry_costs_nothing(post: Any, grace: Church, by: str) -> None:
    named = dead_letters(grace, 7)
    body = {"ids": named} if by == "ids" else {"filter": {"all": True}}
    key = {"Idempotency-Key": "once"}
    first, second = (post("dead-letters/retry/", body, **key) for _ in range(2))
    assert (second["Idempotent-Replayed"], second.json()) == ("true", first.json())
    assert remaining(second)["messages"] == 93
    assert remaining(second)["api"] == 193


def test_a_retry_of_nothing_costs_one_request(post: Any, grace: Church) -> None:
    answer = post("dead-letters/retry/", {"filter": {"all": True}})
    assert (answer.status_code, answer.json()["retried"]) == (202, 0)
    assert remaining(answer) == {"messages": 100, "api": 199, "conditional": 5999}


@pytest.mark.django_db(transaction=True)
def test_concurrent_good_and_refused_messages_cost_exactly_the_good_ones(post: Any) -> None:
    def ask(number: int) -> int:
        try:
            text = "Hi" if number % 3 == 0 else ""
            return int(post("messages/", {"to": TO, "text": text}).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        codes = list(threads.map(ask, range(60)))
    assert sorted(codes) == [202] * 20 + [400] * 40
    assert remaining(post("messages/", {"to": TO, "text": ""}))["messages"] == 80
