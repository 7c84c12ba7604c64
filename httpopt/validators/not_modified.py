"""What a 304 is: its 200 without the representation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from httpopt import conf

# Not in a 304 beside a strong tag (RFC 9110, 15.4.5).
_REPRESENTATION = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Content-Language",
    "Content-Disposition",
    "Last-Modified",
)


def without_representation(response: HttpResponse) -> HttpResponse:
    """Turn a 200 into the 304 that has the same fields otherwise."""
    response.status_code = 304
    response.content = b""
    for name in _REPRESENTATION:
        response.headers.pop(name, None)
    return response


def give_back(request: HttpRequest) -> None:
    """Tell whoever counts requests that this one cost nothing."""
    hook = conf.on_not_modified()
    if hook:
        hook(request)
