"""The browsable API: each answer as a page, with a form for each method that the user may call."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import override_method
from rest_framework.serializers import Serializer

from koinonia.api.examples.items import ItemsOfChurch
from koinonia.api.examples.requests import REQUESTS, filled
from koinonia.api.operations import known, path_of

NOWHERE = "Nothing here"
"""The name of the view for unknown paths. It must not appear in the breadcrumbs."""
_METHODS = ("POST", "PATCH", "DELETE")


class MethodForm(NamedTuple):
    """A form of the page that sends one request."""

    method: str
    summary: str
    takes: str
    """``json`` with ``body`` in a text area, ``file``, or nothing."""
    body: str = ""


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's renderer with another page, whose forms contain valid examples."""

    def get_context(
        self, data: Any, accepted_media_type: Any, renderer_context: Any
    ) -> dict[str, Any]:
        view, request = renderer_context["view"], renderer_context["request"]
        response = renderer_context["response"]
        # Each view of the API has a renderer of data beside this one.
        renderer = cast(BaseRenderer, self.get_default_renderer(view))
        return {
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "breadcrumbs": self.get_breadcrumbs(request),
            "content": self.get_content(renderer, data, accepted_media_type, renderer_context),
            "headers": {**dict(sorted(response.items())), "Content-Type": renderer.media_type},
            "forms": list(self._forms(data, view, request)),
            "page": self._links(data),
            "request": request,
            "response": response,
            "user": request.user,
            "is_read": request.method == "GET" and response.status_code == 200,
        }

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        return [crumb for crumb in super().get_breadcrumbs(request) if crumb[0] != NOWHERE]

    def _links(self, data: Any) -> dict[str, Any]:
        """Return the links of a page of a list, or nothing."""
        return data if isinstance(data, dict) and {"next", "previous"} <= data.keys() else {}

    def _forms(self, data: Any, view: Any, request: Any) -> Any:
        for method in _METHODS:
            if method in view.allowed_methods and self._may(method, view, request):
                yield _form(method, data, view, request)

    def _may(self, method: str, view: Any, request: Any) -> bool:
        with override_method(view, request, method) as as_method:
            try:
                return bool(self.show_form_for_method(view, method, as_method, None))
            except (Http404, APIException, SuspiciousOperation):
                # The permissions raise Http404 for users outside the staff of a church.
                return False


def _form(method: str, data: Any, view: Any, request: Any) -> MethodForm:
    match = request.resolver_match
    operation = known(path_of(match.route), method.lower())
    summary = operation.summary if operation else f"{method} {request.path}"
    if method == "DELETE":
        return MethodForm(method, summary, "")
    if MultiPartParser in view.parser_classes and method == "POST":
        return MethodForm(method, summary, "file")
    example = REQUESTS.get(operation.id) if operation else None
    body = _writable(data) if method == "PATCH" else None
    if body is None and example is not None:
        ids = ItemsOfChurch(match.kwargs.get("church"), other_than=match.kwargs.get("id"))
        body = filled(example, ids, now=timezone.now())
    if body is None:
        return MethodForm(method, summary, "")
    return MethodForm(method, summary, "json", json.dumps(body, indent=4, ensure_ascii=False))


def _writable(data: Any) -> dict[str, Any] | None:
    """Return the writable fields of the item that the page shows, or None if it has none."""
    serializer = getattr(data, "serializer", None)
    if not isinstance(serializer, Serializer):
        return None
    writable = {name for name, field in serializer.fields.items() if not field.read_only}
    return {name: _as_input(data[name]) for name in data if name in writable} or None


def _as_input(value: Any) -> Any:
    """Return ids in place of objects: answers show items, bodies name their ids."""
    if isinstance(value, list):
        return [_as_input(item) for item in value]
    return value["id"] if isinstance(value, dict) and "id" in value else value
