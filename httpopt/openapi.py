"""Describe ``fields``, tags and preconditions in the OpenAPI schema (drf-spectacular)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular import openapi
from drf_spectacular.utils import OpenApiParameter

from httpopt import conf
from httpopt.fields.selection import MAX_LENGTH
from httpopt.views import IfMatchMixin, SparseFieldsMixin, VersionedViewMixin

_FIELDS = OpenApiParameter(
    "fields",
    {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
    description="Return only these fields: `id,status,member.name` or `id,member(name)`. Default: all.",
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of your stored answer: 304 if it has not changed.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `etag` that you read: 412 if the object has changed since.",
)


class AutoSchema(openapi.AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *self._own_parameters()]

    def _own_parameters(self) -> list[OpenApiParameter]:
        reads = self.method in ("GET", "HEAD")
        own = []
        if reads and isinstance(self.view, SparseFieldsMixin) and self.view.sparse_fields:
            own.append(_FIELDS)
        if reads and (_is_versioned(self.view) or _hashes_content()):
            own.append(_IF_NONE_MATCH)
        if self.method in ("PATCH", "PUT", "DELETE") and isinstance(self.view, IfMatchMixin):
            own.append(_IF_MATCH)
        return own

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(*args, **kwargs)
        names = {one.name for one in self._own_parameters()}
        if _IF_NONE_MATCH.name in names:
            bodies["304"] = {"description": "Your stored answer is still current."}
        if _IF_MATCH.name in names:
            bodies["412"] = {"description": "It has changed since you read it."}
            if conf.require_if_match():
                bodies["428"] = {"description": "If-Match is missing."}
        return bodies


def _is_versioned(view: Any) -> bool:
    return isinstance(view, VersionedViewMixin) and bool(view.collections)


def _hashes_content() -> bool:
    """Return True if every answer has a tag, because a middleware adds missing tags."""
    return "httpopt.middleware.ContentHashMiddleware" in settings.MIDDLEWARE
