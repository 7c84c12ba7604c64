from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest

from tests.realtime.second_project.processes import SecondProject
from tests.support.waiting import wait_until

SOON = 20
"""Seconds. Shorter than the waits of the held requests, so that no answer is a timeout."""


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        body = response.read()
        self.json: Any = json.loads(body) if body else None


def get(port: int, path: str, session: str, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": f"sessionid={session}", **headers})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_the_log_over_http_has_the_events_of_the_socket(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    answer = get(port, f"/events/{stream}/?after=2&limit=2", session).json
    assert (answer["from"], answer["to"], answer["reset"]) == (3, 4, False)
    assert [event["data"]["n"] for event in answer["events"]] == [3, 4]
    assert set(answer) == {"stream", "epoch", "from", "to", "reset", "events"}
    assert set(answer["events"][0]) == {"seq", "type", "at", "data"}


def test_a_request_without_a_position_gets_only_the_head(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    answer = get(port, f"/events/{stream}/?wait=20", session).json
    assert (answer["from"], answer["to"], answer["events"]) == (6, 5, [])


@pytest.mark.parametrize("query", ["after=9", "after=3&epoch=0ther", "after=0"])
def test_a_position_outside_the_log_is_answered_with_reset(
    project: SecondProject, port: int, stream: str, session: str, query: str
) -> None:
    project.write("append", stream, 1, 5)
    project.write("prune_up_to", stream, 2)
    answer = get(port, f"/events/{stream}/?{query}", session).json
    assert (answer["reset"], answer["to"], answer["events"]) == (True, 5, [])


def test_an_answer_without_new_events_is_304(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    path = f"/events/{stream}/?after=5"
    tag = get(port, path, session).headers["ETag"]
    again = get(port, path, session, **{"If-None-Match": tag})
    assert (again.status, again.headers["ETag"], again.json) == (304, tag, None)
    project.write("append", stream, 6)
    assert get(port, path, session, **{"If-None-Match": tag}).status == 200


def test_a_held_request_is_304_at_the_time_limit(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    path = f"/events/{stream}/?after=0"
    tag = get(port, path, session).headers["ETag"]
    assert get(port, path + "&wait=1", session, **{"If-None-Match": tag}).status == 304


def test_a_held_request_with_a_tag_gets_new_events(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    path = f"/events/{stream}/?after=0"
    tag = {"If-None-Match": get(port, path, session).headers["ETag"]}
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(get, port, f"{path}&wait=25", session, **tag)
        with pytest.raises(TimeoutError):
            held.result(0.5)  # still held
        project.write("append", stream, 1)
        answer = held.result(SOON)
    assert [event["data"]["n"] for event in answer.json["events"]] == [1]


async def test_many_held_requests_need_no_thread_each(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    loop = asyncio.get_running_loop()

    async def wait() -> list[int]:
        request = f"GET /events/{stream}/?after=0&wait=25 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: sessionid={session}\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        whole = await reader.read()
        writer.close()
        body = whole[whole.index(b"{") : whole.rindex(b"}") + 1]
        return [event["data"]["n"] for event in json.loads(body)["events"]]

    waiting = [asyncio.create_task(wait()) for _ in range(100)]
    # The server still answers other requests.
    page = await loop.run_in_executor(None, get, port, f"/events/{stream}/", session)
    assert page.status == 200
    assert not any(held.done() for held in waiting)
    await loop.run_in_executor(None, project.write, "append", stream, 1)
    async with asyncio.timeout(SOON):
        assert await asyncio.gather(*waiting) == [[1]] * 100


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=1.5",
        "after=99999999999999999999",
        "limit=0",
        "limit=1001",
        "wait=26",
        "wait=-1",
        "after=²",
    ],
)
def test_a_bad_query_parameter_is_named(port: int, stream: str, session: str, query: str) -> None:
    answer = get(port, f"/events/{stream}/?{quote(query, safe='=')}", session)
    assert answer.status == 400
    assert list(answer.json["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("change", "status"),
    [("expel", 404), ("disable", 401), ("change_password", 401), ("log_out", 401)],
)
def test_a_held_request_ends_when_the_access_ends(
    project: SecondProject, port: int, stream: str, change: str, status: int
) -> None:
    user, name = f"ann-{uuid.uuid4().hex[:8]}", stream.partition(":")[2]
    session = project.write("member", user, name)
    arguments = {"expel": (user, name), "log_out": (session,)}
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(get, port, f"/events/{stream}/?after=0&wait=25", session)
        with pytest.raises(TimeoutError):
            held.result(0.5)  # still held
        project.write(change, *arguments.get(change, (user,)))
        assert held.result(SOON).status == status
        # A later request is refused as well.
        assert get(port, f"/events/{stream}/", session).status == status


def test_a_held_request_gets_no_event_after_its_access_ended(
    project: SecondProject, port: int, stream: str
) -> None:
    user, name = f"ann-{uuid.uuid4().hex[:8]}", stream.partition(":")[2]
    session = project.write("member", user, name)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(get, port, f"/events/{stream}/?after=0&wait=25", session)
        with pytest.raises(TimeoutError):
            held.result(0.5)
        project.write("expel", user, name)
        project.write("append", stream, 1)
        assert held.result(SOON).status == 404


def test_held_requests_keep_no_thread(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    """Count threads under Django's own handler: it keeps a thread for each request."""
    get(port, f"/events/{stream}/", session)
    tasks = f"/proc/{project.servers[port].pid}/task"
    before = len(os.listdir(tasks))
    request = f"GET /events/{stream}/?after=0&wait=25 HTTP/1.1\r\nHost: x\r\nCookie: sessionid={session}\r\n\r\n"
    with ExitStack() as opened:
        for _ in range(30):
            waiting = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            waiting.sendall(request.encode())
        # The handshake queue admits them in turn, and their threads end a little later.
        get(port, f"/events/{stream}/?after=0&wait=1", session)
        wait_until(lambda: len(os.listdir(tasks)) - before <= 6)
