from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class KnownParametersPagination(CursorPagination):
    """Cursor pagination with only known parameters in its links (``query_parameters``).

    DRF repeats the whole query in ``next``. An attacker could put a guess there, beside a secret in a
    compressed body, and learn from the length whether the guess is right (BREACH).
    """

    always_known: ClassVar[tuple[str, ...]] = ("page_size", "fields")

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        page = super().paginate_queryset(queryset, request, view)
        known = dict.fromkeys(
            (*self.always_known, *(getattr(view, "query_parameters", None) or ()))
        )
        self.base_url = url_with(request, known_query(request, known))
        return page


def known_query(request: Request, known: Iterable[str]) -> list[tuple[str, str]]:
    """Return the parameters of the request that the view knows."""
    return [(name, one) for name in known for one in request.query_params.getlist(name)]


def url_with(request: Request, query: Sequence[tuple[str, str]]) -> str:
    """Return the URL of the request with this query only: another parameter in a link would allow BREACH."""
    url = request.build_absolute_uri(request.path)
    return f"{url}?{urlencode(query)}" if query else url
