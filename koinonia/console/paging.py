"""Pages of a list: the API's cursors, as links that work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from koinonia.api.pagination import NewestFirst
from koinonia.api.prepared_list import GivenList

MOST_ROWS = 25
"""A row of a page costs several times as much as one of the API: templates are slow."""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, with links to the neighbours; ``""`` if a neighbour does not exist."""

    rows: list[Any]
    older: str
    newer: str


class _Known:
    """The parameters that links of a page repeat."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.query_parameters = names


def paged(
    request: HttpRequest,
    rows: QuerySet[Any, Any] | GivenList[Any],
    order: Callable[[], NewestFirst] = NewestFirst,
    *,
    keep: tuple[str, ...] = (),
) -> Page:
    """Return the page of ``rows`` that ``?cursor=`` names. Raises Http404 for a bad cursor.

    ``order`` is a pagination of the API, which uses an index. ``keep`` names the parameters of the
    query that the links repeat, such as a filter; another parameter in a link would allow BREACH.
    """
    paginator = order()
    paginator.most_rows = MOST_ROWS
    try:
        found = paginator.paginate_queryset(rows, Request(request), _Known(keep))
    except ValidationError as error:
        raise Http404("This is not a page of the list.") from error
    links = paginator.get_paginated_response([]).data
    return Page(found, _here(links["next"]), _here(links["previous"]))


def _here(link: str | None) -> str:
    return f"?{urlsplit(link).query}" if link else ""
