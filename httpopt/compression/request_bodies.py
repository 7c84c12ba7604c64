"""Decode request bodies with a content coding (RFC 9110, 8.4) while they are read.

A body is decoded only when a view reads it, so that a request is first refused for its credential, its
rights or its rate. A body that decodes to too many bytes is refused at that point, in constant memory.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest
from rest_framework.exceptions import APIException

from httpopt import conf
from httpopt.compression.decoders import ACCEPTED, UndecodableError, decoder, is_known

_MOST_CODINGS = 3
_ALIASES = {"x-gzip": "gzip"}
_REFUSED = "httpopt.coding_refused"


# The errors are DRF exceptions for DRF views and Django exceptions for other views.


class UnknownCodingError(APIException, BadRequest):
    """RFC 9110, 15.5.16: a coding that this server does not decode."""

    status_code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    default_detail = f"The Content-Encoding of the body is not one of {ACCEPTED}."
    default_code = "unsupported_content_encoding"


class UndecodableBodyError(APIException, BadRequest):
    status_code = HTTPStatus.BAD_REQUEST
    default_detail = "The body is not in the coding that its Content-Encoding names."
    default_code = "undecodable_body"


class DecodedTooLargeError(APIException, RequestDataTooBig):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The decoded body of the request is too large."
    default_code = "too_large"


class Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


def decode_body(request: HttpRequest) -> None:
    """Make ``request`` read its body without the content coding."""
    codings = codings_of(request.META.pop("HTTP_CONTENT_ENCODING", ""))
    if not codings:
        return
    # Django has no public API to replace the stream of a body.
    wrapped: Any = request
    stream: Stream = wrapped._stream
    if len(codings) > _MOST_CODINGS or not all(map(is_known, codings)):
        wrapped._stream = _RefusedStream(stream, request)
        return
    for coding in reversed(codings):
        stream = DecodedStream(stream, coding)
    wrapped._stream = stream


def codings_of(header: str) -> list[str]:
    """Return the codings in the order of their application, without ``identity``."""
    named = [one.strip().lower() for one in header.split(",")]
    return [_ALIASES.get(one, one) for one in named if one not in ("", "identity")]


def was_refused(request: HttpRequest) -> bool:
    """Return True if a view tried to read a body with an unknown coding."""
    return bool(request.META.get(_REFUSED))


class _RefusedStream:
    """A body with an unknown coding; reading it raises."""

    def __init__(self, stream: Stream, request: HttpRequest) -> None:
        self._stream = stream
        self._request = request

    def read(self, size: int = -1) -> bytes:
        self._request.META[_REFUSED] = True
        raise UnknownCodingError

    readline = read

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._stream.close()


class DecodedStream:
    """The decoded bytes of ``stream``, up to ``HTTPOPT["MAX_DECODED_BYTES"]``.

    A body that is read in one piece fills memory, so it is limited to ``DATA_UPLOAD_MAX_MEMORY_SIZE``.
    """

    _CHUNK = 64 * 1024

    def __init__(self, stream: Stream, coding: str) -> None:
        self._stream = stream
        self._decoder = decoder(coding)
        self._left = conf.max_decoded_bytes()
        self._ready = bytearray()
        self._ended = False

    def read(self, size: int | None = -1) -> bytes:
        whole = size is None or size < 0
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if whole else None
        wanted = None if whole else size
        while not self._ended and (wanted is None or len(self._ready) < wanted):
            self._fill()
            if limit is not None and len(self._ready) > limit:
                raise DecodedTooLargeError
        return self._take(len(self._ready) if wanted is None else wanted)

    def readline(self, size: int | None = -1) -> bytes:
        while not self._ended and b"\n" not in self._ready:
            self._fill()
        end = self._ready.find(b"\n") + 1 or len(self._ready)
        return self._take(end if size is None or size < 0 else min(end, size))

    def seekable(self) -> bool:
        # Django 6.0 asks every stream; False makes it read without looking for the end first.
        return False

    def close(self) -> None:
        self._stream.close()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _fill(self) -> None:
        """Decode one more piece, or note the end."""
        data = b"" if self._decoder.has_more else self._stream.read(self._CHUNK)
        if not data and not self._decoder.has_more:
            self._ended = True
            if not self._decoder.is_complete:
                raise UndecodableBodyError
            return
        try:
            decoded = self._decoder.decode(data)
        except UndecodableError as error:
            raise UndecodableBodyError from error
        self._left -= len(decoded)
        if self._left < 0:
            raise DecodedTooLargeError
        self._ready += decoded
