"""Middleware of the project: CORS for the API, and a ``Date`` header on every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import http_date


class ApiCorsMiddleware(CorsMiddleware):
    """CORS (Fetch standard) for the pages of CORS_ALLOWED_ORIGINS, which use tokens, not cookies.

    An origin that is not allowed gets the answer that it would get without this middleware.
    django-cors-headers answers 200 to the preflight of any origin, and sends ``Vary: Origin`` even
    if no origin is allowed.
    """

    def is_enabled(self, request: HttpRequest) -> bool:
        return bool(settings.CORS_ALLOWED_ORIGINS) and bool(super().is_enabled(request))

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        answer: HttpResponseBase | None = super().check_preflight(request)
        return answer if self._is_allowed(request.headers.get("Origin", "")) else None

    def _is_allowed(self, origin: str) -> bool:
        try:
            return bool(self.origin_found_in_white_lists(origin, urlsplit(origin)))
        except ValueError:
            return False


class DateMiddleware(MiddlewareMixin):
    """Adds ``Date`` to every answer (RFC 9110, 6.6.1), because daphne does not.

    uvicorn adds one too: run it with ``--no-date-header``.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Date", http_date())
        return response
