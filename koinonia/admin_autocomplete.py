from __future__ import annotations

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


class AutocompleteView(AutocompleteJsonView):
    """Django's, but the other end of a relation is refused as any field without choices is.

    Django 5.2 fails there with an AttributeError (``field_name=user`` of ``auth.group``).
    """

    def process_request(self, request: HttpRequest) -> Any:
        term, *found = super().process_request(request)
        if not hasattr(found[1], "get_limit_choices_to"):
            raise PermissionDenied
        # PostgreSQL takes no NUL.
        return term.replace("\0", ""), *found
