"""Serves the static files that ``collectstatic`` has written, in front of Django.

Whitenoise's middleware is synchronous: in Django's chain it would take a thread from every waiting
request. The ASGI application here uses whitenoise's files and responses without that middleware.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.utils.http import http_date
from whitenoise import WhiteNoise
from whitenoise.responders import Response, SlicedFile, StaticFile

from httpopt.compression.negotiation import Coding, weight_of
from koinonia.http.scopes import Application, Receive, Scope, Send
from koinonia.http.static_storage import HASHED_NAME

logger = logging.getLogger(__name__)

_TAG = re.compile(r'(W/)?"([^"]*)"')
_CHUNK = 256 * 1024


def with_static_files(application: Application) -> Application:
    """Wrap ``application``: answer the collected files below ``STATIC_URL`` without it."""
    root = Path(settings.STATIC_ROOT)
    if settings.DEBUG or not root.is_dir():
        if not settings.DEBUG:
            logger.warning(
                "There are no collected static files in %s: they are served uncompressed and are not"
                " cached. Run `manage.py collectstatic --noinput`, and start again.",
                root,
                extra={"action": "no_collected_files"},
            )
        return _from_the_apps(application)
    files = CollectedFiles(root, settings.STATIC_URL)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(settings.STATIC_URL):
            await _answer(await files.find(scope["path"]), scope, send)
        else:
            await application(scope, receive, send)

    return serve


class CollectedFiles:
    """The files below ``root``: all that were there at the start, and hashed files that came later.

    Before an upgrade the files of the next release are collected. A page of a process of the next
    release names them, and a browser may ask a process of this release for them.
    """

    def __init__(self, root: Path, prefix: str) -> None:
        self._root, self._prefix = root.resolve(), prefix
        self._found = WhiteNoise(None, immutable_file_test=HASHED_NAME)
        self._found.add_files(root, prefix=prefix)
        self._files = {path: CodedFile(file) for path, file in self._found.files.items()}

    async def find(self, path: str) -> CodedFile | None:
        file = self._files.get(path)
        # The content of a hashed name never changes, so that only new names are looked for on disk.
        if file is None and re.search(HASHED_NAME, path):
            file = await asyncio.to_thread(self._find_new, path)
        return file

    def _find_new(self, path: str) -> CodedFile | None:
        try:
            place = (self._root / path.removeprefix(self._prefix)).resolve(strict=True)
        except (OSError, ValueError):
            return None
        if not (place.is_relative_to(self._root) and place.is_file()):
            return None
        self._found.add_file_to_dictionary(path, str(place))
        found = self._found.files.get(path)
        if found is None:
            return None
        return self._files.setdefault(path, CodedFile(found))


def _from_the_apps(application: Any) -> Application:
    handler: Application = ASGIStaticFilesHandler(application)
    return handler


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
        # daphne adds no Date (RFC 9110, 6.6.1), and DateMiddleware does not see this answer.
        for name, value in [*headers, ("Date", http_date()), ("X-Content-Type-Options", "nosniff")]
    ]
    await send({"type": "http.response.start", "status": status, "headers": raw})


def _wsgi_headers(scope: Scope) -> dict[str, str]:
    """Return the request's headers in the form that whitenoise reads."""
    return {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in scope["headers"]
    }


@dataclass(frozen=True, slots=True)
class _Copy:
    """A file on disk: the content in one coding."""

    coding: Coding
    path: str
    headers: list[tuple[str, str]]
    size: int
    tag: str


class CodedFile:
    """A static file with an entity tag for each of its codings (RFC 9110, 8.8.3).

    Whitenoise gives all codings the same tag. A cache, or a client that resumes a download with
    ``If-Range``, would then join the bytes of two codings.
    """

    def __init__(self, file: StaticFile) -> None:
        self._file = file
        # Whitenoise lists the smallest first.
        self._copies = [_copy(path, dict(headers)) for _, path, headers in file.alternatives]

    def get_response(self, method: str, request_headers: dict[str, str]) -> Response:
        if method not in ("GET", "HEAD"):
            return self._file.get_response(method, request_headers)
        copy = self._best(request_headers.get("HTTP_ACCEPT_ENCODING"))
        if self._is_not_modified(copy, request_headers):
            kept = {"Cache-Control", "Content-Location", "Expires", "Vary"}
            headers = [(name, value) for name, value in copy.headers if name in kept]
            return Response(HTTPStatus.NOT_MODIFIED, [*headers, ("ETag", copy.tag)], None)
        opened = open(copy.path, "rb") if method == "GET" else None  # noqa: SIM115 -- closed when sent
        headers = [*copy.headers, ("ETag", copy.tag)]
        wanted = request_headers.get("HTTP_RANGE")
        # Ignore a range of HEAD (14.2), and a range of another version or coding.
        if wanted and opened and _if_range(request_headers.get("HTTP_IF_RANGE"), copy):
            try:
                return self._part(wanted, copy, headers, opened)
            except ValueError:
                opened.seek(0)  # A range that cannot be parsed gets the whole file (14.2).
        return Response(HTTPStatus.OK, headers, opened)

    def _part(
        self, wanted: str, copy: _Copy, headers: list[tuple[str, str]], opened: BinaryIO
    ) -> Response:
        """Return one range. Whitenoise's own method refuses a range of one byte."""
        first, last = self._file.parse_byte_range(wanted)
        if last is not None and last < first:
            raise ValueError("The last byte comes before the first.")
        start, end = self._file.get_byte_range(wanted, copy.size)
        if start > end or wanted.strip().endswith("=-0"):
            opened.close()
            answer: Response = self._file.get_range_not_satisfiable_response(None, copy.size)
            return answer
        part = [(name, value) for name, value in headers if name != "Content-Length"]
        part += [
            ("Content-Range", f"bytes {start}-{end}/{copy.size}"),
            ("Content-Length", str(end - start + 1)),
        ]
        return Response(HTTPStatus.PARTIAL_CONTENT, part, SlicedFile(opened, start, end))

    def _best(self, accept_encoding: str | None) -> _Copy:
        """Return the copy that the client prefers; the smallest of several equal ones."""
        highest = max(weight_of(copy.coding, accept_encoding) for copy in self._copies)
        for copy in self._copies:
            if highest > 0 and weight_of(copy.coding, accept_encoding) == highest:
                return copy
        return next(copy for copy in self._copies if copy.coding is Coding.IDENTITY)

    def _is_not_modified(self, copy: _Copy, request_headers: dict[str, str]) -> bool:
        wanted = request_headers.get("HTTP_IF_NONE_MATCH")
        if wanted is None:
            return bool(self._file.is_not_modified(request_headers))
        if wanted.strip() == "*":
            return True
        return any(f'"{opaque}"' == copy.tag for _, opaque in _TAG.findall(wanted))


def _copy(path: str, headers: dict[str, str]) -> _Copy:
    coding = Coding(headers.get("Content-Encoding", Coding.IDENTITY))
    opaque = headers.pop("ETag", '""').strip('"')
    suffix = "" if coding is Coding.IDENTITY else f".{coding.suffix}"
    size = int(headers["Content-Length"])
    return _Copy(coding, path, list(headers.items()), size, f'"{opaque}{suffix}"')


def _if_range(value: str | None, copy: _Copy) -> bool:
    """Return whether If-Range allows the range (13.1.5). Dates and weak tags do not identify bytes."""
    return value is None or value.strip() == copy.tag
