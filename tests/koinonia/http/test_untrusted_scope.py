"""The scope that the application sees of a request, whichever server it runs under."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from koinonia.http.scopes import with_believed_scope

HEADERS = [
    (b"host", b"grace.example"),
    (b"x_forwarded_for", b"10.0.0.1"),
    (b"x-forwarded-proto", b"https"),
    (b"X-Forwarded-Proto", b"https"),
]


@pytest.fixture(autouse=True)
def trusted(settings: Settings) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "TRUSTED_PROXIES": ["10.0.0.0/8"]}


async def believed(kind: str = "http", client: Any = ("192.0.2.1", 5000)) -> Any:
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        told.append(scope)

    scope = {
        "type": kind, "path": "/evil/api/", "root_path": "/evil", "client": client, "headers": HEADERS,
    }  # fmt: skip
    unused: Any = None
    await with_believed_scope(application)(scope, unused, unused)
    assert scope["root_path"] == "/evil"  # the server's own is left alone
    return told[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_root_path_of_a_client_is_removed(kind: str) -> None:
    scope = await believed(kind)
    assert (scope["root_path"], scope["path"]) == ("", "/evil/api/")


async def test_the_forwarded_scheme_of_an_untrusted_peer_is_removed() -> None:
    assert (await believed())["headers"] == [(b"host", b"grace.example")]


@pytest.mark.parametrize("client", [("10.1.2.3", 5000), ("::ffff:10.1.2.3", 5000)])
async def test_the_forwarded_scheme_of_a_trusted_proxy_is_kept(client: Any) -> None:
    names = [name for name, _ in (await believed(client=client))["headers"]]
    assert names == [b"host", b"x-forwarded-proto", b"X-Forwarded-Proto"]


@pytest.mark.parametrize("client", [None, ("", 0)])
async def test_a_unix_socket_is_trusted_if_the_settings_say_so(
    settings: Settings, client: Any
) -> None:
    assert len((await believed(client=client))["headers"]) == 1
    settings.THROTTLING = {**settings.THROTTLING, "TRUSTED_PROXIES": ["unix"]}
    assert len((await believed(client=client))["headers"]) == 3
