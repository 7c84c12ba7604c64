"""The frames of the protocol, and the errors for invalid frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject

BAD_FRAMES: dict[str, str | bytes] = {
    "not JSON": "subscribe",
    "empty object": "{}",
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "no such type": '{"type":"publish"}',
    "type is a number": '{"type":1}',
    "type is a list": '{"type":["ping"]}',
    "binary": b'{"type":"ping"}',
    "too large": json.dumps({"type": "ping", "pad": "x" * 70_000}),
    "deep": "[" * 60_000,
    "since is text": '{"type":"subscribe","stream":"club:x","since":"1"}',
    "since is a fraction": '{"type":"subscribe","stream":"club:x","since":1.5}',
    "since is true": '{"type":"subscribe","stream":"club:x","since":true}',
    "since is negative": '{"type":"subscribe","stream":"club:x","since":-1}',
    "since is huge": '{"type":"subscribe","stream":"club:x","since":9223372036854775808}',
    "since is infinite": '{"type":"subscribe","stream":"club:x","since":1e999}',
    "epoch is a number": '{"type":"subscribe","stream":"club:x","epoch":7}',
    "ack without fields": '{"type":"ack"}',
    "ack without number": '{"type":"ack","stream":"club:x"}',
}


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
async def test_a_bad_frame_gets_an_error_and_the_socket_stays_open(
    port: int, session: str, frame: str | bytes
) -> None:
    async with open_socket(port, session) as ann:
        await ann.connection.send(frame)
        assert (await ann.hear("error"))["code"] == "bad_frame"
        await ann.say(type="ping")
        assert await ann.hear("pong", "error") == {"type": "pong"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("club:of-others", "forbidden"),
        ("church:no-such", "forbidden"),
        ("user:1", "forbidden"),
        ("nothing", "unknown_stream"),
        ("", "unknown_stream"),
        (None, "unknown_stream"),
        (7, "unknown_stream"),
        (["club:x"], "unknown_stream"),
        ("club:", "unknown_stream"),
        ("club:" + "x" * 300, "unknown_stream"),
        ("club:x y", "unknown_stream"),
        ("club:x\n", "unknown_stream"),
        ("club:\ud800", "unknown_stream"),
    ],
)
async def test_a_subscribe_without_access_is_refused(
    port: int, session: str, name: Any, code: str
) -> None:
    async with open_socket(port, session) as ann:
        await ann.say(type="subscribe", stream=name)
        answer = await ann.hear("error", "subscribed")
        assert answer["code"] == code
        assert answer.get("stream") == (name if isinstance(name, str) else None)


async def test_each_user_has_an_own_stream(project: SecondProject, port: int, session: str) -> None:
    project.write("member", f"bob-{port}")
    project.write("append", project.write("own_key", f"bob-{port}"), 7)
    async with open_socket(port, project.write("session", f"bob-{port}")) as bob:
        answer = await bob.subscribe("user:me", since=0)
        assert answer["stream"] == "user:me"
        assert await bob.numbers_until("user:me", 7) == [7]
    async with open_socket(port, session) as ann:
        assert (await ann.subscribe("user:me", since=0))["seq"] == 0


async def test_too_many_streams_are_refused(project: SecondProject, port: int) -> None:
    clubs = [f"many-{port}-{number}" for number in range(21)]
    session = project.write("member", f"joiner-{port}", *clubs)
    async with open_socket(port, session) as ann:
        answers = [await ann.subscribe(f"club:{name}") for name in clubs]
    assert [answer["type"] for answer in answers[:20]] == ["subscribed"] * 20
    assert answers[20]["code"] == "too_many"


async def test_an_unsubscribed_stream_sends_no_events(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    async with open_socket(port, session) as ann:
        await ann.subscribe("user:me")
        await ann.subscribe(stream)
        await ann.say(type="unsubscribe", stream=stream)
        await ann.say(type="ping")
        await ann.hear("pong")
        project.write("append", stream, 1)
        # A new subscribe gets the event, because the server has not sent it before.
        assert (await ann.subscribe(stream, since=0))["seq"] == 1
        assert await ann.numbers_until(stream, 1) == [1]


@pytest.mark.parametrize("position", [{"since": 9}, {"since": 3, "epoch": "0ther"}, {"since": 1}])
async def test_a_position_outside_the_log_is_answered_with_reset(
    project: SecondProject, port: int, stream: str, session: str, position: dict[str, Any]
) -> None:
    project.write("append", stream, 1, 5)
    project.write("prune_up_to", stream, 2)
    async with open_socket(port, session) as ann:
        answer = await ann.subscribe(stream, **position)
        assert (answer["type"], answer["seq"]) == ("reset", 5)
        project.write("append", stream, 6)
        assert await ann.numbers_until(stream, 6) == [6]


async def test_a_restored_database_resets_open_subscriptions(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream)
        project.write("restore_from_backup", stream, 3)
        reset = await ann.hear("reset")
        assert (reset["epoch"], reset["seq"]) == ("restored", 3)
        project.write("append", stream, 4)
        assert await ann.numbers_until(stream, 4) == [4]
