from __future__ import annotations

import logging

import pytest
from channels.testing import WebsocketCommunicator

from realtime import consumer
from realtime.consumer import EventConsumer
from realtime.credentials import Credential

SECONDS = 20


@pytest.mark.django_db(transaction=True)
async def test_a_refused_socket_writes_one_line_with_its_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), "/ws/?ticket=secret")
    await socket.connect(SECONDS)
    assert (await socket.receive_output(SECONDS))["code"] == 4401
    await socket.disconnect()
    [line] = [one for one in caplog.records if getattr(one, "action", "").startswith("socket")]
    found = vars(line)
    assert (found["action"], found["code"], found["user"]) == ("socket_closed", 4401, None)
    assert (found["streams"], found["seconds"] >= 0) == (0, True)
    assert "secret" not in str(found)


@pytest.mark.django_db(transaction=True)
async def test_an_opened_socket_writes_a_line_with_its_user(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(consumer, "identify", lambda scope: Credential(42, "hash"))
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), "/ws/?ticket=secret")
    await socket.connect(SECONDS)
    assert "welcome" in (await socket.receive_output(SECONDS))["text"]
    await socket.disconnect(1001)
    opened, closed = [
        vars(one) for one in caplog.records if getattr(one, "action", "").startswith("socket")
    ]
    assert (opened["action"], opened["user"], opened["levelname"]) == ("socket_opened", 42, "INFO")
    assert (closed["action"], closed["user"], closed["code"]) == ("socket_closed", 42, 1001)
    assert "secret" not in f"{opened}{closed}"
