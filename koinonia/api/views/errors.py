"""Errors that no view of DRF sees (a foreign ``Host``, a middleware that fails, a body that cannot be
read): problems below ``/api/`` all the same, Django's own pages elsewhere."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from rest_framework.exceptions import APIException, ParseError

from koinonia.api import problems
from koinonia.api.problem_text import sentence


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    known = problems.known(exception) or ParseError(problems.UNUSABLE)
    return _problem(request, known) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    known = problems.known(exception)
    return _problem(request, known) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    known = problems.known(exception)
    return _problem(request, known) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``; Django has logged it."""
    known = APIException(problems.OUR_FAULT)
    return _problem(request, known) or defaults.server_error(request)


def _problem(request: HttpRequest, error: APIException | None) -> HttpResponse | None:
    if error is None or not request.path.startswith("/api/"):
        return None
    body: dict[str, Any] = problems.problem(error.status_code, sentence(error.detail))
    return HttpResponse(
        json.dumps(body),
        status=error.status_code,
        content_type=problems.MEDIA_TYPE,
        headers={"Cache-Control": "no-store"},
    )
