"""DRF's browsable API, adapted to this API's permissions and bodies."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.serializers import Serializer

NOWHERE = "Nothing here"
"""The name of the view for unknown paths. It must not appear in the breadcrumbs."""


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's renderer, with forms that are initially a valid request."""

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except Http404:  # The permissions hide churches from users outside the staff.
            return False

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        try:
            return super().get_rendered_html_form(data, view, method, request)
        except (Http404, APIException, SuspiciousOperation):
            # The permissions raise Http404 for users outside the staff. The other errors come from a
            # bad body that the view did not read; the view has already handled the request.
            return None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        # Views do not use DRF's filters, and a report lacks a queryset for them.
        return None

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        return [crumb for crumb in super().get_breadcrumbs(request) if crumb[0] != NOWHERE]

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        # DRF makes no form for a method that the user may not call.
        content = None if form is None else _example(data, view, method)
        if form is not None and content is not None:
            form.fields["_content"].initial = json.dumps(content, indent=4, ensure_ascii=False)
        return form


def _example(data: Any, view: Any, method: str) -> dict[str, Any] | None:
    """Return a valid body: the example of the view, or the writable fields of the item."""
    if method == "POST":
        return getattr(view, "example_body", None)
    serializer = getattr(data, "serializer", None)
    if not isinstance(serializer, Serializer):
        return None
    writable = {name for name, field in serializer.fields.items() if not field.read_only}
    return {name: _as_input(data[name]) for name in data if name in writable}


def _as_input(value: Any) -> Any:
    """Return ids in place of objects: answers show items, bodies name their ids."""
    if isinstance(value, list):
        return [item["id"] if isinstance(item, dict) else item for item in value]
    return value
