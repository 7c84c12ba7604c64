"""Attempts, targets and signatures."""

from __future__ import annotations

import threading
import time

import pytest

from delivery.providers.simulator.server import Answer
from tests.delivery.providers.telnyx.simulator.api_client import ApiClient
from tests.delivery.providers.telnyx.simulator.receiver import Receiver
from tests.support.waiting import wait_until


def refuse() -> Answer:
    return Answer(status=500)


def test_three_attempts_then_the_failover(client: ApiClient, receiver: Receiver) -> None:
    receiver.answers["/first"] = receiver.answers["/second"] = refuse
    client.post(webhook_url=receiver.url("/first"), webhook_failover_url=receiver.url("/second"))
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)
    sent = [one for one in receiver.received if one.type == "message.sent"]
    assert [(one.path, one.meta["attempt"]) for one in sent] == [
        (path, attempt) for path in ("/first", "/second") for attempt in (1, 2, 3)
    ]
    assert len({one.event["id"] for one in sent}) == 1
    assert sent[3].meta["delivered_to"] == receiver.url("/second")


def test_the_profile_is_asked_after_the_texts_own_url(
    client: ApiClient, receiver: Receiver
) -> None:
    client.control("webhooks", url=receiver.url("/profile"))
    receiver.answers["/own"] = refuse
    client.post(webhook_url=receiver.url("/own"))
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["delivered"] == 2)
    assert {one.path for one in receiver.received} == {"/own", "/profile"}
    client.post(webhook_url=receiver.url("/own"), use_profile_webhooks=False)
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)


def test_without_a_url_of_its_own_the_profile_hears(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url("/profile"))
    client.post()
    assert {one.path for one in receiver.wait_for(2)} == {"/profile"}


@pytest.mark.parametrize("status", [302, 400, 503])
def test_only_2xx_is_success(client: ApiClient, receiver: Receiver, status: int) -> None:
    receiver.answers["/hook"] = lambda: Answer(
        status=status, headers={"Location": receiver.url("/x")}
    )
    client.post(webhook_url=receiver.url())
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)
    assert {one.path for one in receiver.received} == {"/hook"}


def test_an_answer_later_than_the_timeout_is_none(client: ApiClient, receiver: Receiver) -> None:
    client.control("settings", webhook_timeout_seconds=0.05)
    finished = threading.Event()
    receiver.answers["/hook"] = lambda: Answer(status=200 if finished.wait(0.5) else 201)
    client.post(webhook_url=receiver.url())
    again = receiver.wait_for(3)
    finished.set()
    assert max(one.meta["attempt"] for one in again) > 1


def test_each_attempt_is_signed_afresh(client: ApiClient, receiver: Receiver) -> None:
    client.control("settings", webhook_retry_seconds=1.1)
    answers = iter([refuse()])
    receiver.answers["/hook"] = lambda: next(answers, Answer())
    client.control("faults", fault="no_finalized")
    client.post(webhook_url=receiver.url())
    first, second = receiver.wait_for(2)
    assert int(second.headers["telnyx-timestamp"]) > int(first.headers["telnyx-timestamp"])
    assert abs(int(second.headers["telnyx-timestamp"]) - time.time()) < 60
    for webhook in (first, second):
        client.sdk.webhooks.unwrap(webhook.body.decode(), headers=webhook.headers)
    assert first.event == second.event
    assert first.headers["user-agent"] == "telnyx-webhooks"


def test_nobody_listening_is_survived(client: ApiClient) -> None:
    client.post(webhook_url="http://127.0.0.1:9/nobody")
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)
