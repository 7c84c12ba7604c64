"""Which responses may have a content coding."""

from __future__ import annotations

import re

from django.http.response import HttpResponseBase

from httpopt.cache import directives_of

_TEXTUAL = re.compile(
    r"(?:text/(?!event-stream).*|.*\+(?:json|xml)|application/(?:json|xml|javascript|ecmascript"
    r"|graphql|yaml|vnd\.oai\.openapi|wasm|manifest|x-ndjson|x-javascript|rtf|vnd\.ms-fontobject)"
    r"|font/(?:ttf|otf|collection)|image/(?:bmp|vnd\.microsoft\.icon|x-icon))"
)
_NO_BODY_OR_A_PART = {204, 205, 206, 304}


def may_be_coded(response: HttpResponseBase) -> bool:
    """By its headers alone: its size is another question."""
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
