"""Errors that no DRF view sees: a bad ``Host``, a failing middleware, an unknown path.

Below ``/api/`` they are problems; elsewhere they are pages.
"""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from koinonia.api import problems
from koinonia.api.browsable import NOWHERE
from koinonia.database.outage import RETRY_AFTER_SECONDS
from koinonia.http import error_pages


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for ``handler400``."""
    known = problems.known(exception) or ParseError(problems.UNUSABLE)
    return _problem(request, known) or error_pages.page(400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for ``handler403``."""
    known = problems.known(exception)
    return _problem(request, known) or error_pages.page(403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for ``handler404``."""
    known = problems.known(exception)
    return _problem(request, known) or error_pages.page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for ``handler500``. Django logs the error; an outage of the database is logged once."""
    error = sys.exc_info()[1]
    if problems.conflict_at(request.path, error):
        return _logged(error_pages.page(409))
    away = problems.unavailable(error)
    if away is None:
        known = APIException(problems.OUR_FAULT)
        return _problem(request, known) or error_pages.page(500)
    response = _problem(request, away) or error_pages.page(503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return _logged(response)


def _logged(response: HttpResponse) -> HttpResponse:
    response._has_been_logged = True  # type: ignore[attr-defined] # Django's own mark
    return response


def _problem(request: HttpRequest, error: APIException | None) -> HttpResponse | None:
    if error is None or not request.path.startswith("/api/"):
        return None
    body = problems.problem(error.status_code, problems.sentence(error.detail))
    return problems.problem_response(body)


@extend_schema(exclude=True)
class NoSuchPathView(APIView):
    """Answers 404 to every path of the API that does not exist."""

    name = NOWHERE
    permission_classes = [AllowAny]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not request.path.endswith("/"):
            raise NotFound("There is nothing at this path. All paths of the API end in a slash.")
        raise NotFound("There is nothing at this path. /api/v1/ lists the paths of the API.")

    options = http_method_not_allowed
