"""Tag answers by a hash of their content, if the view gave them no tag."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from httpopt import conf
from httpopt.cache import directives_of
from httpopt.compression.negotiation import coding_of
from httpopt.validators.etags import ETag, MalformedTagsError
from httpopt.validators.preconditions import (
    PreconditionResult,
    evaluate_read,
    note_not_modified,
    without_representation,
)


def validate_content(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response with its tag, or the 304, 400 or 412 that its preconditions ask for."""
    if not conf.enabled() or request.method not in ("GET", "HEAD"):
        return response
    if not isinstance(response, HttpResponse) or not _may_be_tagged(response):
        return response
    digest = hashlib.blake2b(response.content, digest_size=12).hexdigest()
    tag = ETag(f"{digest}-c.{coding_of(request).suffix}")
    response.headers["ETag"] = str(tag)
    return _answer(request, response, tag)


def _may_be_tagged(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and not response.has_header("ETag")
        and "no-store" not in directives_of(response)
    )


def _answer(request: HttpRequest, response: HttpResponse, tag: ETag) -> HttpResponseBase:
    try:
        result = evaluate_read(request.headers, tag)
    except MalformedTagsError as error:
        return _refusal(400, f"If-Match: {error}")
    if result is PreconditionResult.FAILED:
        return _refusal(412, "If-Match: the content has changed.")
    if result is PreconditionResult.PROCEED:
        return response
    note_not_modified(request)
    return without_representation(response)


def _refusal(status: int, reason: str) -> HttpResponse:
    return HttpResponse(f"{reason}\n", content_type="text/plain; charset=utf-8", status=status)
