"""Middleware of the project: CORS for the API, the content policy and a ``Date`` on every answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from corsheaders.middleware import CorsMiddleware
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
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


class ConstantPolicyMiddleware(CSPMiddleware):
    """django-csp with the policy of the settings built once; the library builds it for each answer.

    The library still answers where a view changes the policy, or a template used a nonce.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._policy = build_policy()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        changed = any(name.startswith("_csp") for name in vars(response))
        if changed or hasattr(request, "_csp_nonce") or settings.DEBUG:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._policy)
        return response


class DateMiddleware(MiddlewareMixin):
    """Adds ``Date`` to every answer (RFC 9110, 6.6.1), because daphne does not.

    uvicorn adds one too: run it with ``--no-date-header``.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Date", http_date())
        return response
