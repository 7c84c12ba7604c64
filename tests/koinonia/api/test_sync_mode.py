"""``DELIVERY_MODE=sync``: the answer contains the outcome of the text."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message
from delivery.sending import inside_request
from koinonia.ids import encode
from koinonia.models import Church, IdempotentRequest, Member
from koinonia.wiring import thread_of
from tests.delivery.accounts import with_provider

MESSAGES = "/api/v1/churches/grace/messages/"
BODY = {"to": "+13125550155", "text": "Hi"}
NOBODY = "http://127.0.0.1:9"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sync(settings: Any) -> None:
    settings.DELIVERY = {
        **with_provider(settings, BACKEND="delivery.testing.ScriptedProvider"), "MODE": "sync",
    }  # fmt: skip


@pytest.fixture
def sender(as_user: Any, grace: Church, grace_sender: User) -> APIClient:
    client: APIClient = as_user(grace_sender)
    return client


def post(client: APIClient, path: str = MESSAGES, body: Any = BODY, key: str = "k") -> Any:
    return client.post(path, body, format="json", headers={"Idempotency-Key": key} if key else {})


@pytest.mark.parametrize("key", ["", "k"])
def test_the_answer_contains_the_outcome(sender: APIClient, key: str) -> None:
    answer = post(sender, key=key)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert answer["Location"].endswith(f"{MESSAGES}{answer.json()['id']}/")
    assert answer.json()["attempts"] == 1


def test_a_temporary_failure_is_in_the_answer(sender: APIClient, settings: Any) -> None:
    backend = "delivery.providers.telnyx.provider.TelnyxProvider"
    settings.DELIVERY = with_provider(settings, BACKEND=backend, API_BASE=NOBODY)
    message = post(sender).json()
    assert (message["status"], message["error"]["code"]) == ("dead", "connection_failed")


def test_a_reply_is_sent_in_its_request_too(sender: APIClient, grace: Church, anna: Member) -> None:
    thread = encode(thread_of(grace, anna.phone, timezone.now()))
    path = f"/api/v1/churches/grace/conversations/{thread}/messages/"
    answer = post(sender, path, {"text": "Hi"})
    assert (answer.json()["status"], answer.json()["member"]["name"]) == ("accepted", "Anna Lee")


def test_a_repeated_request_gives_the_outcome_and_sends_once(sender: APIClient) -> None:
    first, again = post(sender), post(sender)
    assert again.content == first.content
    assert (again["Idempotent-Replayed"], again["Location"]) == ("true", first["Location"])
    assert Message.objects.get().attempts == 1


def test_message_and_key_are_committed_before_the_text_is_sent(
    sender: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def look(message_id: int) -> None:
        seen.append((connection.in_atomic_block, IdempotentRequest.objects.count(), message_id))

    monkeypatch.setattr(inside_request, "send_once", look)
    post(sender)
    assert seen == [(False, 1, Message.objects.get().pk)]


def test_after_a_crash_in_the_middle_a_replay_shows_the_text_as_it_is_now(
    sender: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(message_id: int) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(inside_request, "send_once", crash)
    with pytest.raises(RuntimeError):
        post(sender)
    assert post(sender).json()["status"] == "queued"
    monkeypatch.undo()
    inside_request.send_once(Message.objects.get().pk)
    replayed = post(sender)
    assert (replayed.status_code, replayed["Idempotent-Replayed"]) == (202, "true")
    assert replayed.json()["status"] == "accepted"
    assert Message.objects.get().attempts == 1
