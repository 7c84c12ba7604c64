"""Cache-Control, and the header fields that every answer needs (RFC 9111, RFC 9110)."""

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
    """The rules for caches of one view; the default is private, with revalidation each time.

    ``public`` applies only to requests without a user, because an answer made for one user is never
    shared.
    """

    max_age: int = 0
    """Seconds without revalidation; 0 to revalidate each time."""
    public: bool = False

    def cache_control(self, *, authenticated: bool) -> str:
        audience = "public" if self.public and not authenticated else "private"
        return f"{audience}, max-age={self.max_age}" if self.max_age else f"{audience}, no-cache"

    def apply(self, response: HttpResponseBase, *, authenticated: bool) -> None:
        """Write the same fields on a 200 and on its 304."""
        response.headers["Cache-Control"] = self.cache_control(authenticated=authenticated)
        if self.max_age:
            response.headers["Expires"] = http_date(time.time() + self.max_age)


PRIVATE = CachePolicy()


def directives_of(response: HttpResponseBase) -> set[str]:
    """Return the directives of Cache-Control in lower case."""
    return {one.strip().lower() for one in response.get("Cache-Control", "").split(",")}


def finish_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Complete the fields of any answer as RFC 9110 requires."""
    if response.status_code >= 400:
        _make_error_unstorable(response)
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = (
            PRIVATE.cache_control(authenticated=True)
            if _can_be_revalidated(request, response)
            else NO_STORE
        )
    if response.status_code in (204, 304):
        # CommonMiddleware adds the length of an empty body, but these answers have no body.
        response.headers.pop("Content-Length", None)
    if "Date" not in response.headers and isinstance(request, ASGIRequest):
        # WSGI servers add Date, ASGI servers do not.
        response.headers["Date"] = http_date()


def _can_be_revalidated(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return True for an answer with a validator; a stream has none."""
    return request.method in _SAFE and response.status_code in (200, 304) and not response.streaming


def _make_error_unstorable(response: HttpResponseBase) -> None:
    response.headers["Cache-Control"] = NO_STORE
    for name in ("ETag", "Expires", "Last-Modified"):
        response.headers.pop(name, None)
