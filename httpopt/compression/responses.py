"""Decide whether a response is encoded, encode it, and hide its length."""

from __future__ import annotations

import hashlib
import re
from typing import cast

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from httpopt import conf
from httpopt.cache import directives_of
from httpopt.compression.encoders import encode, encode_stream
from httpopt.compression.negotiation import Coding, coding_of
from httpopt.signals import body_encoded

_TEXTUAL = re.compile(
    r"(?:text/(?!event-stream).*|.*\+(?:json|xml)|application/(?:json|xml|javascript|ecmascript"
    r"|graphql|yaml|vnd\.oai\.openapi|wasm|manifest|x-ndjson|x-javascript|rtf|vnd\.ms-fontobject)"
    r"|font/(?:ttf|otf|collection)|image/(?:bmp|vnd\.microsoft\.icon|x-icon))"
)
_NO_BODY_OR_A_PART = {204, 205, 206, 304}


def encode_response(request: HttpRequest, response: HttpResponseBase) -> None:
    body = _body_to_encode(request, response)
    if body is not None:
        _replace_body(request, response, encode(coding_of(request), body))


async def encode_response_async(request: HttpRequest, response: HttpResponseBase) -> None:
    """Encode like ``encode_response``, but a large body in a thread."""
    body = _body_to_encode(request, response)
    if body is None:
        return
    if len(body) > conf.off_loop_bytes():
        encoded = await sync_to_async(encode, thread_sensitive=False)(coding_of(request), body)
    else:
        encoded = encode(coding_of(request), body)
    _replace_body(request, response, encoded)


def _body_to_encode(request: HttpRequest, response: HttpResponseBase) -> bytes | None:
    """Return the body if it needs encoding; encode a stream at once and return None."""
    coding = coding_of(request)
    if coding is Coding.IDENTITY or not _may_be_encoded(response):
        return None
    if isinstance(response, StreamingHttpResponse):
        encode_stream(response, coding)
        response.headers["Content-Encoding"] = str(coding)
        del response.headers["Content-Length"]
        return None
    body = cast(HttpResponse, response).content
    return body if len(body) > conf.minimum_bytes() else None


def _may_be_encoded(response: HttpResponseBase) -> bool:
    """Return True if status and headers allow a content coding."""
    return not (
        response.status_code < 200
        or response.status_code in _NO_BODY_OR_A_PART
        or response.has_header("Content-Encoding")
        or response.has_header("Content-Range")
        or "no-transform" in directives_of(response)
        or not _is_textual(response)
    )


def _is_textual(response: HttpResponseBase) -> bool:
    media_type = response.get("Content-Type", "").partition(";")[0].strip().lower()
    return _TEXTUAL.fullmatch(media_type) is not None


def _replace_body(request: HttpRequest, response: HttpResponseBase, encoded: bytes) -> None:
    plain = cast(HttpResponse, response)
    if len(encoded) >= len(plain.content):
        return
    body_encoded.send_robust(sender=HttpResponse, before=len(plain.content), after=len(encoded))
    plain.content = encoded
    plain.headers["Content-Encoding"] = str(coding_of(request))
    plain.headers["Content-Length"] = str(len(encoded))
    if plain.status_code == 200:
        _pad(plain)


def _pad(response: HttpResponse) -> None:
    """Add a header with a length made of a keyed hash of the answer.

    Random padding disappears in an average over many requests. A keyed hash gives the same length
    each time, and the body keeps the bytes of its strong tag.
    """
    most = conf.padding_bytes()
    if most:
        response.headers["X-Padding"] = "x" * (1 + _keyed_number(response) % most)


def _keyed_number(response: HttpResponse) -> int:
    text = response.get("ETag") or hashlib.sha256(response.content).hexdigest()
    return int.from_bytes(salted_hmac("httpopt.padding", text, algorithm="sha256").digest()[:4])
