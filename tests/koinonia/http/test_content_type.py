"""An unreadable Content-Type causes no server error."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest

from koinonia.http.scopes import with_readable_content_type

UNREADABLE = [
    b"application/json; a*=nonsense''%ff",
    b"application/json; charset*=nonsense''%ff",
    b"multipart/form-data; boundary=b; charset=zlib",
    b"multipart/form-data; boundary=b; charset=hex",
    b"application/json; charset=undefined",
    b"application/json; charset=\xff",
    b"application/json; charset=a\x00b",
    b"application/json;" + b"a=b;" * 4000,
    b"x" * 16_000,
    b"",
    b";;;=;",
]  # fmt: skip


_ENDS: Any = (None, None)


async def passed_on(value: bytes) -> dict[str, Any]:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    headers = [(b"host", b"testserver"), (b"content-type", value)]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/me/", "headers": headers}
    await with_readable_content_type(application)(scope, *_ENDS)
    return dict(seen[0])


@pytest.mark.parametrize("value", UNREADABLE, ids=map(str, range(len(UNREADABLE))))
async def test_unreadable_parameters_are_removed(value: bytes) -> None:
    request = ASGIRequest(await passed_on(value), BytesIO())
    assert (request.encoding or "utf-8").lower() != "zlib"
    assert request.content_type is not None


@pytest.mark.parametrize(
    "value",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"text/csv; charset=windows-1252; header=present",
        b'multipart/form-data; boundary="a;b"',
        b"multipart/form-data; boundary=----b",
    ],
)
async def test_readable_parameters_stay_unchanged(value: bytes) -> None:
    assert dict((await passed_on(value))["headers"])[b"content-type"] == value


async def test_a_socket_is_passed_on_unchanged() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "websocket", "path": "/ws/v1/"}
    await with_readable_content_type(application)(scope, *_ENDS)
    assert seen == [scope]
