"""One line per request, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from koinonia.config import log_context
from koinonia.http.request_log import with_request_log
from koinonia.http.request_threads import RequestThreadHandler

# Request threads close the old connections that earlier tests may have left to them.
pytestmark = pytest.mark.django_db(transaction=True)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LOGGER = "koinonia.http.request_log"


def view(request: HttpRequest, church: str = "") -> HttpResponse:
    return HttpResponse(str(log_context.fields().get("church", "")))


def failing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=503)


urlpatterns = [
    path("api/v1/churches/<slug:church>/members/", view),
    path("failing/", failing),
    path("healthz", view),
]


@pytest.fixture(autouse=True)
def our_urls(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    caplog.set_level(logging.INFO)


class Asked:
    """A request to ``application``, and the answer."""

    def __init__(self, application: Any = None) -> None:
        self._application = with_request_log(application or RequestThreadHandler())
        self.sent: list[Mapping[str, Any]] = []

    async def get(self, where: str, query: str = "", **headers: str) -> Asked:
        asked = asyncio.Queue[Mapping[str, Any]]()
        asked.put_nowait({"type": "http.request", "body": b""})
        scope = {
            "type": "http", "method": "GET", "path": where, "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        await self._application(scope, asked.get, self._send)
        return self

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def request_id(self) -> str:
        return str(dict(self.sent[0]["headers"])[b"x-request-id"].decode())


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == LOGGER]


async def test_a_request_writes_one_line_without_its_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Asked().get("/api/v1/churches/grace/members/", "search=%2B13125550111&ticket=secret")
    [line] = lines(caplog)
    assert (line.levelname, line.action, line.method, line.status) == (
        "INFO",
        "request",
        "GET",
        200,
    )
    assert line.route == "/api/v1/churches/<slug:church>/members/"
    assert line.path == "/api/v1/churches/grace/members/"
    assert (line.bytes, line.user) == (len("grace"), None)
    assert line.duration_ms >= 0
    assert "secret" not in str(vars(line))


async def test_lines_of_a_view_name_the_request_and_the_church() -> None:
    asked = await Asked().get("/api/v1/churches/grace/members/")
    assert asked.sent[1]["body"] == b"grace"


async def test_the_answer_has_the_id_of_the_callers_trace() -> None:
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    asked = await Asked().get("/failing/", traceparent=parent)
    assert asked.request_id == TRACE


async def test_a_request_without_a_trace_gets_an_id_of_its_own() -> None:
    first, second = await Asked().get("/failing/"), await Asked().get("/failing/")
    assert len(first.request_id) == 32
    assert first.request_id != second.request_id


async def test_a_failed_request_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    await Asked().get("/failing/")
    [line] = lines(caplog)
    assert (line.levelname, line.status) == ("WARNING", 503)


@pytest.mark.parametrize("where", ["/healthz", "/static/koinonia/koinonia.css"])
async def test_probes_and_static_files_are_debug(
    caplog: pytest.LogCaptureFixture, where: str
) -> None:
    await Asked().get(where)
    assert lines(caplog) == []
    caplog.set_level(logging.DEBUG, LOGGER)
    await Asked().get(where)
    assert [line.path for line in lines(caplog)] == [where]


async def test_a_request_that_its_client_left_is_499(caplog: pytest.LogCaptureFixture) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return

    await Asked(silent).get("/api/v1/me/")
    assert [line.status for line in lines(caplog)] == [499]


async def test_an_application_that_raises_is_500(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await Asked(broken).get("/api/v1/me/")
    assert [line.status for line in lines(caplog)] == [500]


async def test_the_path_in_a_line_has_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    await Asked().get("/" + "x" * 5000)
    [line] = lines(caplog)
    assert (len(line.path), line.status, line.route) == (200, 404, "")


async def test_lines_outside_the_request_have_no_id() -> None:
    await Asked().get("/failing/")
    assert log_context.fields() == {}
