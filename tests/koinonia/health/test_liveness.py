"""``/healthz`` needs nothing but the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from koinonia.health.liveness import with_liveness

_OF_A_MOMENT = {"date", "expires"}


async def _inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "inner", "scope": scope})


def _ask(method: str, path: str, kind: str = "http") -> list[Mapping[str, Any]]:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        raise AssertionError("A probe has no body.")

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "headers": [(b"host", b"10.1.2.3")]}
    answer = with_liveness(_inner)(scope, receive, send)
    try:
        answer.send(None)  # type: ignore[attr-defined]  # a coroutine
    except StopIteration:
        return sent
    raise AssertionError("The answer waited for something.")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_probe_is_answered_in_one_step_of_the_event_loop(method: str) -> None:
    start, body = _ask(method, "/healthz")
    assert (start["status"], body["body"]) == (200, b"ok\n")


@pytest.mark.django_db
def test_the_answer_has_the_headers_of_the_view(client: Client) -> None:
    """Keep the answer that proxies and probes know, from the view that WSGI serves."""
    start, _ = _ask("GET", "/healthz")
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    expected = {name.lower(): value for name, value in client.get("/healthz").headers.items()}
    assert found.keys() == expected.keys()
    for name in found.keys() - _OF_A_MOMENT:
        assert found[name] == expected[name]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/healthz", "http"),
        ("GET", "/healthz/", "http"),
        ("GET", "/readyz", "http"),
        ("GET", "/healthz", "websocket"),
    ],
)
def test_every_other_request_passes_on(method: str, path: str, kind: str) -> None:
    assert [message["type"] for message in _ask(method, path, kind)] == ["inner"]
