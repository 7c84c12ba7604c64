"""Static files with an entity tag for each coding (RFC 9110, 8.8.3): whitenoise gives all of them one.

A cache or a client that resumes a download by ``If-Range`` would join bytes of two codings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

from whitenoise.responders import Response, SlicedFile, StaticFile

from httpopt.compression.negotiation import Coding, weight_of

_TAG = re.compile(r'(W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class _Copy:
    """One file on disk: the content in one coding."""

    coding: Coding
    path: str
    headers: list[tuple[str, str]]
    size: int
    tag: str


class CodedFile:
    """A static file of whitenoise's, answered by the rules of RFC 9110 for each of its codings."""

    def __init__(self, file: StaticFile) -> None:
        self._file = file
        # Smallest first, as whitenoise has them.
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
        # A range of HEAD means nothing (14.2), and neither does one of another version or coding.
        if wanted and opened and _if_range(request_headers.get("HTTP_IF_RANGE"), copy):
            try:
                return self._part(wanted, copy, headers, opened)
            except ValueError:
                opened.seek(0)  # Not understood: the whole is the answer (14.2).
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
        """Return the one that the client likes best; the smallest of those that it likes alike."""
        liked = max(weight_of(copy.coding, accept_encoding) for copy in self._copies)
        for copy in self._copies:
            if liked > 0 and weight_of(copy.coding, accept_encoding) == liked:
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
    """Return whether the range may be sent (13.1.5): a date is too coarse, a weak tag names no bytes."""
    return value is None or value.strip() == copy.tag
