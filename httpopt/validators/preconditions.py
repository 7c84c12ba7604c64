"""Evaluate preconditions in the order of RFC 9110, section 13.2.2, and answer them.

Our representations have no modification date, so If-Modified-Since, If-Unmodified-Since and If-Range
are ignored, as the RFC says for a resource without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException

from httpopt import conf
from httpopt.validators.etags import ANY, ETag, MalformedTagsError, Tags, parse_tags


class PreconditionResult(Enum):
    """The result of evaluating the preconditions of a GET or HEAD."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()
    NOT_MODIFIED_IF_FOUND = auto()
    """``If-None-Match: *``: 304 if the view finds a representation."""


class PreconditionFailedError(APIException):
    """RFC 9110, 15.5.13: another client has changed the resource."""

    status_code = 412
    default_detail = "It has changed since you read it. Read it again, then decide."
    default_code = "precondition_failed"


class PreconditionRequiredError(APIException):
    """RFC 6585, 3: the client must say which state it wants to change."""

    status_code = 428
    default_detail = "Send If-Match with the etag of what you read."
    default_code = "precondition_required"


def evaluate_read(headers: Mapping[str, str], current: ETag) -> PreconditionResult:
    """Evaluate a GET or HEAD of the representation tagged ``current``.

    Raises MalformedTagsError for a malformed If-Match.
    """
    wanted = headers.get("If-Match")
    if wanted is not None and not _holds(parse_tags(wanted), current):
        return PreconditionResult.FAILED
    unwanted = if_none_match(headers)
    if unwanted == ANY:
        return PreconditionResult.NOT_MODIFIED_IF_FOUND
    if any(current.is_weakly(tag) for tag in unwanted if isinstance(tag, ETag)):
        return PreconditionResult.NOT_MODIFIED
    return PreconditionResult.PROCEED


def if_none_match(headers: Mapping[str, str]) -> Tags:
    """Return the tags of If-None-Match; none if the header is missing or malformed."""
    value = headers.get("If-None-Match")
    if value is None:
        return ()
    try:
        return parse_tags(value)
    except MalformedTagsError:
        return ()


def _holds(tags: Tags, current: ETag) -> bool:
    if isinstance(tags, str):
        return True
    # Weak comparison, unlike RFC 9110, 13.1.1: our tags are strong, and only proxies weaken them.
    return any(current.is_weakly(tag) for tag in tags)


# A 304 with a strong tag omits these fields (RFC 9110, 15.4.5).
_REPRESENTATION = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Content-Language",
    "Content-Disposition",
    "Last-Modified",
)


def without_representation(response: HttpResponse) -> HttpResponse:
    """Turn a 200 into the 304 with the same remaining fields."""
    response.status_code = 304
    response.content = b""
    for name in _REPRESENTATION:
        response.headers.pop(name, None)
    return response


def note_not_modified(request: HttpRequest) -> None:
    """Call the hook ``ON_NOT_MODIFIED``, so that a rate limit can refund the request."""
    hook = conf.on_not_modified()
    if hook:
        hook(request)
