"""What the middlewares of the host add to an answer, found out once instead of for each webhook.

Nine middlewares cost more than the webhook itself. Their part of an answer depends on the settings,
the host name and a few header fields, which are the same for all webhooks of a provider. So the first
request with these values passes through the middlewares of the host, with the finished answer in place
of the view, and further requests get the same header fields.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import re_path
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

_MOST_KEPT = 256
_ASKED = (
    b"host", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto", b"accept-encoding",
    b"origin", b"user-agent",
)  # fmt: skip
_ANSWER = "delivery.webhook_answer"
_REACHED = "delivery.webhook_view_reached"
_TIMES: dict[bytes, Callable[[int], int]] = {
    b"date": lambda now: now,
    b"expires": lambda now: now - 1,  # as never_cache does
}


@csrf_exempt
@never_cache
def _finished(request: HttpRequest) -> HttpResponseBase:
    request.META[_REACHED] = True
    answer: HttpResponseBase = request.META[_ANSWER]
    return answer


_URLS = (re_path("", _finished),)


@dataclass(frozen=True, slots=True)
class Head:
    """Status, header fields and body of an answer. ``Date`` and ``Expires`` change with the clock."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    origin: str
    """The origin in the URL of the request, if the host of the request is believed."""

    def start(self, now: float) -> dict[str, Any]:
        second = int(now)
        headers = [
            (name, _date(_TIMES[name](second))) if name in _TIMES else (name, value)
            for name, value in self.fields
        ]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return http_date(second).encode()


class AnswerHeads:
    """The heads of this process."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Head | None] = {}
        self._plain: dict[Hashable, Head | None] = {}
        self._chain: BaseHandler | None = None
        self._names = _ASKED + _ssl_header()

    def shape(self, scope: Mapping[str, Any], fields: Mapping[bytes, bytes]) -> Hashable:
        """Return the fields of a request that the middlewares read."""
        return (scope.get("scheme"), *[fields.get(name) for name in self._names])

    async def plain(self, shape: Hashable, scope: Mapping[str, Any]) -> Head | None:
        """Return the head of an empty answer; None if a middleware answers without asking the view."""
        if shape not in self._plain:
            found = await self.head(shape, scope, HttpResponse(status=200))
            if len(self._plain) >= _MOST_KEPT:
                self._plain.clear()
            self._plain[shape] = found
        return self._plain[shape]

    async def head(
        self, shape: Hashable, scope: Mapping[str, Any], response: HttpResponse
    ) -> Head | None:
        """Return the head of ``response``; None if a middleware answers without asking the view."""
        key = (shape, response.status_code, response.content, tuple(response.items()))
        if key not in self._kept:
            found = await sync_to_async(self._find, thread_sensitive=False)(scope, response)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return self._kept[key]

    def _find(self, scope: Mapping[str, Any], response: HttpResponse) -> Head | None:
        if self._chain is None:
            chain = BaseHandler()
            chain.load_middleware()
            self._chain = chain
        request = ASGIRequest({**scope}, BytesIO())
        request.META[_ANSWER] = response
        request.urlconf = _URLS  # type: ignore[assignment]  # Django takes patterns, too
        answer = self._chain.get_response(request)
        if _REACHED not in request.META or not isinstance(answer, HttpResponse):
            return None
        try:
            origin = f"{request.scheme}://{request.get_host()}"
        except DisallowedHost:
            return None
        fields = tuple(
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.items()
        )
        return Head(answer.status_code, fields, answer.content, origin)


def _ssl_header() -> tuple[bytes, ...]:
    header = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    if header is None:
        return ()
    return (header[0].removeprefix("HTTP_").replace("_", "-").lower().encode(),)
