"""The three middlewares: the outermost of the project, and two below it.

MIDDLEWARE = [
    "httpopt.middleware.CompressionMiddleware",
    "httpopt.middleware.CodedBodyMiddleware",
    "httpopt.middleware.ContentHashMiddleware",
    ...
]
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from httpopt import conf
from httpopt.cache import finish_headers
from httpopt.compression.decoders import ACCEPTED
from httpopt.compression.negotiation import Coding, coding_of, decide_coding, varies_by
from httpopt.compression.request_bodies import decode_body, was_refused
from httpopt.compression.responses import encode_response, encode_response_async
from httpopt.validators.content_hash import validate_content
from httpopt.validators.etags import weaken_foreign_tag


class _Middleware(MiddlewareMixin):
    """Django's shell for sync and async; its subclasses answer async on the event loop."""

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]  # async
        return response


class CompressionMiddleware(_Middleware):
    """Encodes bodies and completes the headers of every answer. Must be the outermost."""

    def process_request(self, request: HttpRequest) -> None:
        decide_coding(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        encode_response(request, response)
        return _with_headers(request, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        decide_coding(request)
        response = await self._answer(request)
        await encode_response_async(request, response)
        return _with_headers(request, response)


class CodedBodyMiddleware(_Middleware):
    """Decodes request bodies with a content coding.

    Must stand outside of everything that reads a body, such as Django's CSRF middleware.
    """

    def process_request(self, request: HttpRequest) -> None:
        decode_body(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return _with_known_codings(request, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        decode_body(request)
        return _with_known_codings(request, await self._answer(request))


class ContentHashMiddleware(_Middleware):
    """Tags answers by a hash of their content. It saves bytes, but not the work of the view."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return validate_content(request, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._answer(request)
        # Use a thread, because the hook of a 304 may refund a rate limit and wait for Redis.
        return await sync_to_async(validate_content)(request, response)


def _with_known_codings(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Answer an unknown coding with 415 and the known codings (RFC 9110, 15.5.16)."""
    if was_refused(request) and response.status_code in (400, 415):
        # Django answers the error with a 400, because for Django it is a BadRequest.
        response.status_code = 415
        response.headers["Accept-Encoding"] = ACCEPTED
    return response


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if conf.enabled():
        patch_vary_headers(response, varies_by(request))
    if coding_of(request) is not Coding.IDENTITY:
        # Weaken even if nothing was encoded: a 304 must have the tag of its 200 either way.
        weaken_foreign_tag(response)
    finish_headers(request, response)
    return response
