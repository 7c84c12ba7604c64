"""Every error of the API as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import DatabaseError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from delivery.content.visible_text import clean
from koinonia.api.advice import explained
from koinonia.api.errors import ConflictError, DatabaseAwayError, TooLargeError, lost_race
from koinonia.database import outage
from throttling.drf import LimitExceeded, charge_failed_request
from throttling.responses import problem as limit_problem

MEDIA_TYPE = "application/problem+json"
UNUSABLE = "The request cannot be used."
OUR_FAULT = "Something went wrong here. It has been reported."
MAX_SENTENCE_LENGTH = 300
MAX_NAME_LENGTH = 100
MAX_FIELDS = 20
MAX_SENTENCES = 10
_NO_FIELD = "non_field_errors"

logger = logging.getLogger(__name__)


class ProblemResponse(Response):
    """A problem as JSON, or as a page for a person who uses the browsable API."""

    @property
    def rendered_content(self) -> Any:
        if isinstance(self.accepted_renderer, BrowsableAPIRenderer):
            try:
                return super().rendered_content
            except Exception:
                logger.exception(
                    "The page of a problem cannot be rendered; the answer is JSON.",
                    extra={"action": "bug"},
                )
        self.accepted_renderer = JSONRenderer()
        self.accepted_media_type = self.content_type = MEDIA_TYPE
        return super().rendered_content


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer ``error`` as a problem (DRF's ``EXCEPTION_HANDLER``).

    An unexpected error goes to the log, and the client gets a fixed sentence.
    """
    # First, because a bad credential may exceed the limit of its address.
    error = charge_failed_request(error, context)
    path = getattr(context.get("request"), "path", "")
    expected = known(error) or lost_race_at(path, error) or unavailable(error)
    if expected is None:
        _report(error, context)
        expected = exceptions.APIException(OUR_FAULT)
    set_rollback()
    response = ProblemResponse(
        _body(explained(expected, context)), status=expected.status_code, headers=_headers(expected)
    )
    if expected.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response._has_been_logged = True  # type: ignore[attr-defined] # Django's own mark
    return response


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """Return the members of RFC 9457, section 3.1. ``about:blank`` implies the title of the status."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}


def problem_response(body: dict[str, Any]) -> JsonResponse:
    """Return a problem as a plain Django response, for code that runs outside DRF's views."""
    return JsonResponse(
        body,
        status=body["status"],
        content_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def known(error: Exception) -> exceptions.APIException | None:
    """Return ``error`` as an error of the API, or None if it is unexpected."""
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLargeError()
    if isinstance(error, (SuspiciousOperation, BadRequest, MultiPartParserError)):
        return exceptions.ParseError(UNUSABLE)
    return None


def unavailable(error: BaseException | None) -> exceptions.APIException | None:
    """Return and count an outage of the database as 503, or None for any other error."""
    if error is None or outage.note(error) is None:
        return None
    return DatabaseAwayError()


def lost_race_at(path: str, error: Exception) -> exceptions.APIException | None:
    """Return and log a lost race. Without a second request at work, the race is our bug."""
    found = lost_race(error)
    if found is not None:
        extra = {"action": "request_lost_race", "path": path}
        logger.warning("A request lost a race: %s", path, exc_info=error, extra=extra)
    return found


def conflict_at(path: str, error: object) -> bool:
    """Return whether a transaction of this page lost against another one, and log it if so."""
    if not isinstance(error, DatabaseError) or path.startswith("/api/"):
        return False
    if not isinstance(lost_race(error), ConflictError):
        return False
    lost_race_at(path, error)
    return True


def _report(error: Exception, context: dict[str, Any]) -> None:
    request = getattr(context.get("request"), "_request", None)
    got_request_exception.send(sender=None, request=request)
    path = getattr(request, "path", "")
    extra = {"action": "bug", "path": path}
    logger.error("Unhandled error in the API: %s", path, exc_info=error, extra=extra)


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, LimitExceeded):
        return dict(limit_problem(error.result))
    if isinstance(error, exceptions.ValidationError):
        errors = by_field(error.detail)
        detail = " ".join(f"{name}: {' '.join(found)}" for name, found in errors.items())
        return problem(error.status_code, detail[:500], errors=errors)
    return problem(error.status_code, sentence(error.detail), **getattr(error, "extra", {}))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


# Errors quote a stranger's input. The functions below keep the quotes printable and short.


def sentence(text: object) -> str:
    """Return one short line without lone surrogates and control characters."""
    return _shortened(str(text), MAX_SENTENCE_LENGTH)


def by_field(detail: Any) -> dict[str, list[str]]:
    """Return DRF's nested errors as one level: ``audience.groups``, ``media_urls.0``.

    Only the first errors are kept. The last sentence then says how many more there are.
    """
    found: dict[str, list[str]] = {}
    left_out = 0
    for name, text in _leaves(detail, ""):
        name = _shortened(name, MAX_NAME_LENGTH) or _NO_FIELD
        if len(found) >= MAX_FIELDS and name not in found:
            left_out += 1
        elif len(found.setdefault(name, [])) < MAX_SENTENCES:
            found[name].append(sentence(text))
        else:
            left_out += 1
    if left_out:
        found.setdefault(_NO_FIELD, []).append(f"There are {left_out} more errors.")
    return found


def _shortened(text: str, most: int) -> str:
    kept = clean(text[: most * 2])
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"


def _leaves(detail: Any, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(detail, Mapping):
        yield from _leaves_of_items(detail.items(), name)
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(item, Mapping | list | tuple) for item in detail)
        if nested:
            items = ((i, item) for i, item in enumerate(detail) if item)
            yield from _leaves_of_items(items, name)
        else:
            yield from ((name, item) for item in detail)
    else:
        yield name, detail


def _leaves_of_items(
    items: Iterable[tuple[object, Any]], name: str
) -> Iterator[tuple[str, object]]:
    for key, value in items:
        yield from _leaves(value, f"{name}.{key}" if name else str(key))
