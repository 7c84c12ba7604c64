"""The three middlewares: the outermost of the project, and two below it.

MIDDLEWARE = [
    "httpopt.middleware.CompressionMiddleware",
    "httpopt.middleware.CodedBodyMiddleware",
    "httpopt.middleware.ContentHashMiddleware",
    ...
]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from httpopt import conf
from httpopt.cache import finish_headers
from httpopt.compression import request as negotiated
from httpopt.compression.codecs import code
from httpopt.compression.coded_bodies import decode_body, was_refused
from httpopt.compression.decoders import ACCEPTED
from httpopt.compression.eligibility import may_be_coded
from httpopt.compression.negotiation import Coding
from httpopt.compression.padding import pad
from httpopt.compression.streams import code_stream
from httpopt.validators.content import validate_content
from httpopt.validators.etags import weaken_foreign_tag

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class _Middleware:
    """One class for both kinds of server; which one it is, is known at the start."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self.answer_async(request)
        return self.answer(request)

    def _sync(self, request: HttpRequest) -> HttpResponseBase:
        return cast(HttpResponseBase, self.get_response(request))

    async def _async(self, request: HttpRequest) -> HttpResponseBase:
        return await cast(Awaitable[HttpResponseBase], self.get_response(request))

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError


class CompressionMiddleware(_Middleware):
    """Codes bodies, and puts the last hand to the headers. Must be the outermost."""

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        negotiated.decide(request)
        response = self._sync(request)
        body = _body_to_code(request, response)
        if body is not None:
            _replace(request, response, code(negotiated.coding_of(request), body))
        return _finished(request, response)

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        negotiated.decide(request)
        response = await self._async(request)
        body = _body_to_code(request, response)
        if body is not None:
            _replace(request, response, await _code_async(negotiated.coding_of(request), body))
        return _finished(request, response)


class CodedBodyMiddleware(_Middleware):
    """Lets the rest of the project read request bodies without their content coding.

    Must stand outside of whatever reads a body, as Django's CSRF middleware does.
    """

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        decode_body(request)
        return _refused(request, self._sync(request))

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        decode_body(request)
        return _refused(request, await self._async(request))


class ContentHashMiddleware(_Middleware):
    """Validators by content for what has none of its own: it saves bytes, not work."""

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        return validate_content(request, self._sync(request))

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._async(request)
        # It may tell the throttle, which waits for its store.
        return await sync_to_async(validate_content)(request, response)


def _refused(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Refuse an unknown coding with the names of the known ones (RFC 9110, 15.5.16)."""
    if was_refused(request) and response.status_code in (400, 415):
        # A view without DRF knows the error as Django's BadRequest.
        response.status_code = 415
        response.headers["Accept-Encoding"] = ACCEPTED
    return response


async def _code_async(coding: Coding, body: bytes) -> bytes:
    if len(body) > conf.off_loop_bytes():
        return await sync_to_async(code, thread_sensitive=False)(coding, body)
    return code(coding, body)


def _body_to_code(request: HttpRequest, response: HttpResponseBase) -> bytes | None:
    """The body where it is to be coded; a stream is taken care of at once."""
    coding = negotiated.coding_of(request)
    if coding is Coding.IDENTITY or not may_be_coded(response):
        return None
    if isinstance(response, StreamingHttpResponse):
        code_stream(response, coding)
        _coded_as(request, response)
        del response.headers["Content-Length"]
        return None
    body = cast(HttpResponse, response).content
    return body if len(body) > conf.minimum_bytes() else None


def _replace(request: HttpRequest, response: HttpResponseBase, coded: bytes) -> None:
    plain = cast(HttpResponse, response)
    if len(coded) >= len(plain.content):
        return
    plain.content = coded
    _coded_as(request, plain)
    plain.headers["Content-Length"] = str(len(coded))
    if plain.status_code == 200:
        pad(plain)


def _coded_as(request: HttpRequest, response: HttpResponseBase) -> None:
    response.headers["Content-Encoding"] = str(negotiated.coding_of(request))


def _finished(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if conf.enabled():
        patch_vary_headers(response, negotiated.varies_by(request))
    if negotiated.coding_of(request) is not Coding.IDENTITY:
        # Coded or not: a 304 cannot tell whether its 200 was, and must have the same tag.
        weaken_foreign_tag(response)
    finish_headers(request, response)
    return response
