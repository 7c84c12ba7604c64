"""Every error of the API as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from koinonia.api.errors import TooLargeError
from koinonia.api.problem_text import by_field, sentence
from koinonia.api.races import lost_race
from throttling.drf import LimitExceeded, charge_failed_request
from throttling.responses import problem as limit_problem

MEDIA_TYPE = "application/problem+json"
UNUSABLE = "The request cannot be used."
OUR_FAULT = "Something went wrong here. It has been reported."

logger = logging.getLogger(__name__)


class ProblemResponse(Response):
    """A problem: JSON to every client but a person in the browsable API, whose page may fail."""

    @property
    def rendered_content(self) -> Any:
        if isinstance(self.accepted_renderer, BrowsableAPIRenderer):
            try:
                return super().rendered_content
            except Exception:
                logger.exception("The page of a problem cannot be made; it is told as JSON.")
        self.accepted_renderer = JSONRenderer()
        self.accepted_media_type = self.content_type = MEDIA_TYPE
        return super().rendered_content


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's ``EXCEPTION_HANDLER``; what nobody foresaw is logged, and told without its words."""
    # First: a bad credential may be one too many of its address.
    error = charge_failed_request(error, context)
    told = known(error) or _lost_race(error, context)
    if told is None:
        _report(error, context)
        told = exceptions.APIException(OUR_FAULT)
    set_rollback()
    response = ProblemResponse(_body(told), status=told.status_code, headers=_headers(told))
    if told.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response._has_been_logged = True  # type: ignore[attr-defined] # Django's own mark
    return response


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The members of RFC 9457 section 3.1; ``about:blank``: the title is that of the status."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}


def known(error: Exception) -> exceptions.APIException | None:
    """``error`` in the words of the API; None where nobody foresaw it."""
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


def _lost_race(error: Exception, context: dict[str, Any]) -> exceptions.APIException | None:
    """Log the race: where no other request was at work, it is a fault of ours."""
    told = lost_race(error)
    if told is not None:
        path = getattr(context.get("request"), "path", "")
        extra = {"action": "request_lost_race", "path": path}
        logger.warning("A request was overtaken: %s", path, exc_info=error, extra=extra)
    return told


def _report(error: Exception, context: dict[str, Any]) -> None:
    request = getattr(context.get("request"), "_request", None)
    got_request_exception.send(sender=None, request=request)
    path = getattr(request, "path", "")
    logger.error("Unhandled error in the API: %s", path, exc_info=error, extra={"path": path})


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, LimitExceeded):
        return dict(limit_problem(error.result))
    if isinstance(error, exceptions.ValidationError):
        errors = by_field(error.detail)
        detail = "; ".join(f"{name}: {' '.join(told)}" for name, told in errors.items())
        return problem(error.status_code, detail[:500], errors=errors)
    return problem(error.status_code, sentence(error.detail))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers
