"""The fallback: a tag made of the body, for answers that came without one."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from httpopt import conf
from httpopt.cache import directives_of
from httpopt.compression.request import coding_of
from httpopt.validators.etags import ETag, MalformedTagsError
from httpopt.validators.not_modified import give_back, without_representation
from httpopt.validators.preconditions import Verdict, judge_read


def validate_content(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response with its tag, or the 304, 400 or 412 that the request asked for instead."""
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
        verdict = judge_read(request.headers, tag)
    except MalformedTagsError as error:
        return _refusal(400, f"If-Match: {error}")
    if verdict is Verdict.FAILED:
        return _refusal(412, "If-Match: this is not what is there now.")
    if verdict is Verdict.PROCEED:
        return response
    give_back(request)
    return without_representation(response)


def _refusal(status: int, reason: str) -> HttpResponse:
    return HttpResponse(f"{reason}\n", content_type="text/plain; charset=utf-8", status=status)
