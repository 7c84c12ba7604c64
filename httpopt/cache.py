"""How long an answer may be kept, and by whom (RFC 9111)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date

NO_STORE = "no-store"
_SAFE = {"GET", "HEAD"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CachePolicy:
    """The caching of one view's answers. Private, and asked again each time, unless said so.

    ``public`` counts only for requests without a user: what is made for one person is never shared.
    """

    max_age: int = 0
    """Seconds it may be used without asking; 0: it is asked again each time."""
    public: bool = False

    def cache_control(self, *, authenticated: bool) -> str:
        audience = "public" if self.public and not authenticated else "private"
        return f"{audience}, max-age={self.max_age}" if self.max_age else f"{audience}, no-cache"

    def apply(self, response: HttpResponseBase, *, authenticated: bool) -> None:
        """The same for a 200 and its 304."""
        response.headers["Cache-Control"] = self.cache_control(authenticated=authenticated)
        if self.max_age:
            response.headers["Expires"] = http_date(time.time() + self.max_age)


PRIVATE = CachePolicy()


def directives_of(response: HttpResponseBase) -> set[str]:
    """The directives of its Cache-Control, in small letters."""
    return {one.strip().lower() for one in response.get("Cache-Control", "").split(",")}


def finish_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """What RFC 9110 asks of every answer, whoever made it."""
    if response.status_code >= 400:
        _make_error_unstorable(response)
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = (
            PRIVATE.cache_control(authenticated=True)
            if _can_be_asked_again(request, response)
            else NO_STORE
        )
    if response.status_code in (204, 304):
        # CommonMiddleware counts the bytes of a body that must not be there.
        response.headers.pop("Content-Length", None)
    if "Date" not in response.headers and isinstance(request, ASGIRequest):
        # WSGI servers add it, ASGI servers leave it to the application.
        response.headers["Date"] = http_date()


def _can_be_asked_again(request: HttpRequest, response: HttpResponseBase) -> bool:
    """A stream has no validator to ask again with."""
    return request.method in _SAFE and response.status_code in (200, 304) and not response.streaming


def _make_error_unstorable(response: HttpResponseBase) -> None:
    response.headers["Cache-Control"] = NO_STORE
    for name in ("ETag", "Expires", "Last-Modified"):
        response.headers.pop(name, None)
