"""Static files: hashed and compressed once, and served in front of Django.

Whitenoise's middleware is synchronous: in Django's chain it would take a thread from every waiting
request. Its files and responses are used here, by the ASGI application itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.utils.http import http_date
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor
from whitenoise.responders import Response
from whitenoise.storage import CompressedManifestStaticFilesStorage

from koinonia.coded_files import CodedFile

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HASHED_NAME = r"\.[0-9a-f]{12}\."
_CHUNK = 256 * 1024


class QuickCompressor(Compressor):  # type: ignore[misc]  # whitenoise is untyped
    """Brotli's best takes half a minute for two per cent less."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=6)
        return compressed


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Names with the hash of their content; plain names until ``collectstatic`` has run."""

    # The console's modules import each other, and must get the hashed names too.
    support_js_module_import_aggregation = True
    # One for each step of the longest chain of imports; Django gives up after five.
    max_post_process_passes = 20

    def stored_name(self, name: str) -> str:
        stored: str = super().stored_name(name) if self.hashed_files else name
        return stored

    def url_converter(self, *arguments: Any) -> Callable[[re.Match[str]], str]:
        # Django 6.0 passes one argument more than 5.2: the comments to leave alone.
        convert: Callable[[re.Match[str]], str] = super().url_converter(*arguments)

        def leave_types_alone(found: re.Match[str]) -> str:
            # JSDoc names a type of another module as {import("./other.js").Type}: no import, and
            # two modules may name each other so.
            is_a_type = found.string[: found.start()].endswith("{")
            return found["matched"] if is_a_type else convert(found)

        return leave_types_alone

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)


def with_static_files(application: Application) -> Application:
    """``application``, with the collected files under ``STATIC_URL`` answered before it is asked."""
    root = Path(settings.STATIC_ROOT)
    if settings.DEBUG or not root.is_dir():
        return _from_the_apps(application)
    collected = WhiteNoise(None, immutable_file_test=_HASHED_NAME)
    collected.add_files(root, prefix=settings.STATIC_URL)
    files = {path: CodedFile(file) for path, file in collected.files.items()}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(settings.STATIC_URL):
            await _answer(files.get(scope["path"]), scope, send)
        else:
            await application(scope, receive, send)

    return serve


def _from_the_apps(application: Any) -> Application:
    handler: Any = ASGIStaticFilesHandler(application)
    served: Application = handler
    return served


async def _answer(file: CodedFile | None, scope: Scope, send: Send) -> None:
    if file is None:
        await _send_head(send, 404, [("Content-Type", "text/plain")])
        await send({"type": "http.response.body", "body": b"There is no such file.\n"})
        return
    response = await asyncio.to_thread(file.get_response, scope["method"], _wsgi_headers(scope))
    await _send_head(send, int(response.status), response.headers)
    await _send_body(send, response)


async def _send_body(send: Send, response: Response) -> None:
    if response.file is not None:
        with response.file as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_head(send: Send, status: int, headers: list[tuple[str, str]]) -> None:
    raw = [
        (name.lower().encode(), value.encode())
        # daphne adds no Date (RFC 9110, 6.6.1), and the middleware that does is not asked.
        for name, value in [*headers, ("Date", http_date()), ("X-Content-Type-Options", "nosniff")]
    ]
    await send({"type": "http.response.start", "status": status, "headers": raw})


def _wsgi_headers(scope: Scope) -> dict[str, str]:
    """The request's headers as whitenoise reads them."""
    return {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in scope["headers"]
    }
