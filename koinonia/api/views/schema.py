from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request

from httpopt import conf
from httpopt.compression.negotiation import Coding, coding_of
from httpopt.validators.etags import ETag
from httpopt.validators.preconditions import (
    PreconditionResult,
    evaluate_read,
    without_representation,
)
from koinonia.api.schema_file import schema

_UNCONDITIONAL = {PreconditionResult.PROCEED, PreconditionResult.FAILED}


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema as a file: YAML, or JSON if ``Accept`` or ``?format=json`` asks for it."""

    def get_renderers(self) -> list[Any]:
        found: list[Any] = super().get_renderers()
        wanted = self.request.query_params.get("format")
        return [one for one in found if one.format == wanted] or found

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        coding = coding_of(request._request)
        renderer: Any = request.accepted_renderer
        found = schema(renderer.format, coding)
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        response = HttpResponse(found.body, content_type=f"{renderer.media_type}{charset}")
        if coding is not Coding.IDENTITY:
            response.headers["Content-Encoding"] = str(coding)
        name = f'inline; filename="Koinonia.{renderer.format}"'
        response.headers["Content-Disposition"] = name
        tag = ETag(f"{found.digest}-{renderer.format}.{coding.suffix}")
        response.headers["ETag"] = str(tag)
        patch_vary_headers(response, ["Accept", "Cookie"])
        if conf.enabled() and _is_current(request, tag):
            return without_representation(response)
        return response


class DocumentationView(SpectacularSwaggerSplitView):
    """Swagger UI, open to everyone: the schema holds no secrets. A signed-in user can try operations.

    The "split" view avoids an inline script: the content security policy forbids those.
    """

    url_name = "api:schema"
    template_name = "koinonia/api_docs.html"


def _is_current(request: Request, tag: ETag) -> bool:
    """Return whether the client has this version. A failed If-Match does not refuse a read."""
    headers = {"If-None-Match": request.headers.get("If-None-Match", "")}
    return evaluate_read(headers, tag) not in _UNCONDITIONAL
