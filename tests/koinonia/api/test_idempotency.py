from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia.api import idempotency
from koinonia.models import Church, IdempotentRequest, Member
from tests.support.races import at_once

MESSAGES = "/api/v1/churches/grace/messages/"
BODY = {"to": "+13125550155", "text": "Hi"}


def post(client: APIClient, key: str, body: dict[str, Any] = BODY, path: str = MESSAGES) -> Any:
    return client.post(path, body, format="json", headers={"Idempotency-Key": key})


def test_a_repeated_request_gives_the_first_answer_and_sends_once(sender: APIClient) -> None:
    first, again = post(sender, "k:1"), post(sender, "k:1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Message.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(sender: APIClient) -> None:
    post(sender, "k")
    assert post(sender, "k", {**BODY, "text": "Ho"}).status_code == 422
    assert Message.objects.count() == 1


def test_keys_belong_to_the_user_and_the_path(
    sender: APIClient, owner: APIClient, anna: Member
) -> None:
    assert post(sender, "k").status_code == 202
    assert post(owner, "k").status_code == 202
    broadcast = {"text": "Hi", "audience": {"all": True}}
    assert post(sender, "k", broadcast, "/api/v1/churches/grace/broadcasts/").status_code == 202


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a/b"])
def test_a_key_of_other_characters_is_bad_input(sender: APIClient, key: str) -> None:
    answer = post(sender, key)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["Idempotency-Key"])
    assert not Message.objects.exists()


def test_a_failed_request_may_be_repeated_with_its_key(sender: APIClient) -> None:
    assert post(sender, "k", {**BODY, "text": ""}).status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert post(sender, "k").status_code == 202


def test_a_crash_leaves_no_key_and_no_text(
    sender: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(idempotency, "_keep", crash)
    with pytest.raises(RuntimeError):
        post(sender, "k")
    assert not IdempotentRequest.objects.exists()
    assert not Message.objects.exists()


def test_after_a_day_the_key_is_new(sender: APIClient) -> None:
    post(sender, "k")
    day = timedelta(hours=24, seconds=1)
    for record in IdempotentRequest.objects.all():
        record.created_at -= day
        record.save()
    assert post(sender, "k").get("Idempotent-Replayed") is None
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_concurrent_requests_one_acts_and_both_get_its_answer(
    grace: Church, grace_sender: User
) -> None:
    answers: list[Any] = []

    def ask() -> None:
        client = APIClient()
        client.force_authenticate(grace_sender)
        answers.append(post(client, "race"))

    at_once([ask] * 4)
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 3
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waits_too_long_for_the_key_is_a_conflict(
    grace: Church, grace_sender: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    keep, first_acts, second_is_told = idempotency._keep, threading.Event(), threading.Event()

    def keep_slowly(*args: Any) -> None:
        first_acts.set()
        second_is_told.wait(20)
        keep(*args)

    monkeypatch.setattr(idempotency, "_keep", keep_slowly)
    answers: list[Any] = []

    def ask() -> None:
        try:
            client = APIClient()
            client.force_authenticate(grace_sender)
            answers.append(post(client, "slow"))
        finally:
            connection.close()

    first = threading.Thread(target=ask)
    first.start()
    assert first_acts.wait(10)
    ask()
    second_is_told.set()
    first.join(20)
    assert [answer.status_code for answer in answers] == [409, 202]
    assert answers[0]["Content-Type"] == "application/problem+json"
    assert Message.objects.count() == 1
