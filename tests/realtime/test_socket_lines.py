from __future__ import annotations

import logging

import pytest
from channels.testing import WebsocketCommunicator

from realtime.consumer import EventConsumer


@pytest.mark.django_db(transaction=True)
async def test_a_refused_socket_writes_one_line_with_its_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), "/ws/?ticket=secret")
    await socket.connect()
    assert (await socket.receive_output())["code"] == 4401
    await socket.disconnect()
    [line] = [one for one in caplog.records if getattr(one, "action", "").startswith("socket")]
    found = vars(line)
    assert (found["action"], found["code"], found["user"]) == ("socket_closed", 4401, None)
    assert (found["streams"], found["seconds"] >= 0) == (0, True)
    assert "secret" not in str(found)
