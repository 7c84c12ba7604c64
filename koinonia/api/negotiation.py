"""Content negotiation (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

_MAX_LENGTH = 1000
"""A longer Accept is ignored: browsers send some 150 characters."""
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$", re.IGNORECASE)
"""DRF ignores q."""
_PROBLEM = "application/problem+json"
_ANYTHING = ["*/*"]


class Negotiation(DefaultContentNegotiation):
    """DRF's negotiation, with 406 only for a safe method and an Accept without a match.

    A 406 to an unsafe method would prevent its effect: a member or a token would not be deleted.
    Generated clients accept only ``application/problem+json`` if the schema describes no other
    content; they understand JSON. A malformed header is ignored.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            if request.method in SAFE_METHODS and not _takes_problems(request):
                raise
        except (ValueError, LookupError):
            pass  # Python cannot decode a parameter of the header: ignore the header.
        return renderers[0], renderers[0].media_type

    def get_accept_list(self, request: Request) -> list[str]:
        header = request.headers.get("Accept", "*/*")
        named = [one.strip() for one in header.split(",") if one.strip()]
        if not named or len(header) > _MAX_LENGTH:
            return _ANYTHING
        return [one for one in named if not _REFUSED.search(one)]


def _takes_problems(request: Request) -> bool:
    kinds = request.headers.get("Accept", "").lower().split(",")
    return _PROBLEM in (kind.partition(";")[0].strip() for kind in kinds)
