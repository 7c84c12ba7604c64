from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class KnownParametersPagination(CursorPagination):
    """Links that echo no parameter but those the view knows (``query_parameters``).

    DRF repeats the whole query in ``next``: what an attacker puts beside a secret in a compressed
    body tells by its length whether it is alike.
    """

    always_known: ClassVar[tuple[str, ...]] = ("page_size", "fields")

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        page = super().paginate_queryset(queryset, request, view)
        known = {*self.always_known, *(getattr(view, "query_parameters", None) or ())}
        self.base_url = known_url(request, known)
        return page


def known_url(request: Request, known: set[str]) -> str:
    """The request's own URL with the known parameters alone."""
    query = [
        (name, one)
        for name, every in request.query_params.lists()
        if name in known
        for one in every
    ]
    url = request.build_absolute_uri(request.path)
    return f"{url}?{urlencode(query)}" if query else url
