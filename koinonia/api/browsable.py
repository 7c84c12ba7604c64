"""The API as pages, for people."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.serializers import Serializer

NOWHERE = "Nothing here"
"""The name of a path that leads nowhere: no step on the way to any other."""


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's, with forms that can be sent as they stand."""

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except Http404:  # The permissions answer so to who is not staff.
            return False

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        try:
            return super().get_rendered_html_form(data, view, method, request)
        except (Http404, APIException, SuspiciousOperation):
            # The permissions answer 404 to who is not staff. The others come from a body that the
            # view did not read, and that cannot be read: what was asked is done by now.
            return None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        # No view has filters of DRF's, and a report has no rows to ask them about.
        return None

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        return [crumb for crumb in super().get_breadcrumbs(request) if crumb[0] != NOWHERE]

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        # No form, no example: only what the view takes has the shape of what it takes.
        content = None if form is None else _example(data, view, method)
        if form is not None and content is not None:
            form.fields["_content"].initial = json.dumps(content, indent=4, ensure_ascii=False)
        return form


def _example(data: Any, view: Any, method: str) -> dict[str, Any] | None:
    """A body that the view would take: its example, or what of the item may be written."""
    if method == "POST":
        return getattr(view, "example_body", None)
    serializer = getattr(data, "serializer", None)
    if not isinstance(serializer, Serializer):
        return None
    writable = {name for name, field in serializer.fields.items() if not field.read_only}
    return {name: _as_written(data[name]) for name in data if name in writable}


def _as_written(value: Any) -> Any:
    """Items are shown as objects, and named by their ids."""
    if isinstance(value, list):
        return [item["id"] if isinstance(item, dict) else item for item in value]
    return value
