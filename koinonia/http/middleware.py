"""Browsers of other origins (the Fetch standard's CORS protocol): those of ``CORS_ALLOWED_ORIGINS``.

They get no credentials: a page of another origin has a Bearer token, and no cookie of ours.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ApiCorsMiddleware(CorsMiddleware):
    """django-cors-headers, but that origins which are not allowed are answered as if it were not there.

    Its own answers 200 to the preflight of any origin, and varies by Origin where none is allowed.
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
