"""Which representation an answer has (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

_LONGEST = 1000
"""A longer Accept is not read: browsers send some 150 characters."""
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$", re.IGNORECASE)
"""DRF does not look at q."""
_PROBLEM = "application/problem+json"
_ANYTHING = ["*/*"]


class Negotiation(DefaultContentNegotiation):
    """DRF's, but 406 only where it protects a client: at a safe method, and where nothing fits.

    An unsafe method that is refused for its Accept leaves undone what it was for: a member stays,
    a token lives on. Who understands problems understands JSON: generated clients ask for
    ``application/problem+json`` alone where the schema describes no other content. A header that
    cannot be read is ignored.
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
            pass  # Parameters that Python's parser of headers cannot decode: as if it were not sent.
        return renderers[0], renderers[0].media_type

    def get_accept_list(self, request: Request) -> list[str]:
        header = request.headers.get("Accept", "*/*")
        named = [one.strip() for one in header.split(",") if one.strip()]
        if not named or len(header) > _LONGEST:
            return _ANYTHING
        return [one for one in named if not _REFUSED.search(one)]


def _takes_problems(request: Request) -> bool:
    kinds = request.headers.get("Accept", "").lower().split(",")
    return _PROBLEM in (kind.partition(";")[0].strip() for kind in kinds)
