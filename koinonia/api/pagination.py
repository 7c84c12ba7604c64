"""Cursor pagination: no COUNT, stable while rows are added, one index condition per page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from sqids import Sqids

from httpopt.pagination import known_query, url_with
from koinonia.api.prepared_list import GivenList
from koinonia.api.row_position import Beyond
from koinonia.models import Member

PAGE_SIZE = 50
LARGEST_PAGE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**63 - 1
_FORWARD, _BACK = 0, 1
_sqids = Sqids(blocklist=[])


class NewestFirst(BasePagination):
    """Keyset pagination on ``ordering``: descending columns, the last of them unique.

    The cursor is a Sqid of direction and position. DRF's CursorPagination compares one column and
    counts ties, so it cannot page through 5,000 conversations of the same second.
    """

    ordering: tuple[str, ...] = ("-id",)
    ascending = False
    """True for an ordering of ascending columns."""
    most_rows = LARGEST_PAGE
    """The limit of the rows of a page."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.known = ("page_size", "fields", *getattr(view, "query_parameters", ()))
        size = min(_page_size(request), self.most_rows)
        back, position = self._cursor(request, queryset)
        rows = self._rows(queryset, position, back, size + 1)
        more, rows = len(rows) > size, rows[:size]
        if back:
            rows.reverse()
        self.has_next = (more or back) if rows else False
        self.has_previous = more if back else bool(position)
        if not rows and back:
            self.has_previous = False
        self.rows = rows
        return rows

    def arranged(self, rows: Any, position: Sequence[Any], *, back: bool) -> Any:
        """Return the queryset beyond a position, in the order of this list or ``back``."""
        columns = [name.lstrip("-") for name in self.ordering]
        if position:
            rows = rows.filter(Beyond(columns, position, back=back != self.ascending))
        backwards = [f"-{name}" for name in columns] if self.ascending else columns
        return rows.order_by(*(backwards if back else self.ordering))

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(_FORWARD) if self.has_next else None,
                "previous": self._link(_BACK) if self.has_previous and self.rows else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "default": PAGE_SIZE}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"},
             "description": "The start of the page, copied from `next` or `previous`."},
            {"name": "page_size", "in": "query", "required": False, "schema": size,
             "description": f"At most {LARGEST_PAGE}; more is taken as {LARGEST_PAGE}."},
        ]  # fmt: skip

    def first_of(self, rows: Any, most: int) -> list[Any]:
        """Return the first rows of a list that is not paged."""
        return self._rows(rows, [], False, most)

    def _rows(self, rows: Any, position: Sequence[Any], back: bool, most: int) -> list[Any]:
        if isinstance(rows, GivenList):
            return rows.page(self, position, back=back, most=most)
        return list(self.arranged(rows, position, back=back)[:most])

    def _cursor(self, request: Request, rows: Any) -> tuple[bool, list[Any]]:
        text = request.query_params.get("cursor")
        if not text:
            return False, []
        numbers = _sqids.decode(text) if len(text) <= 60 else []
        if (
            not numbers
            or numbers[0] not in (_FORWARD, _BACK)
            or any(number > _LARGEST for number in numbers)
            or _sqids.encode(numbers) != text
        ):
            raise _not_a_cursor()
        return numbers[0] == _BACK, self._position(numbers[1:], rows)

    def _position(self, numbers: list[int], rows: Any) -> list[Any]:
        """Return the values of the ordering's columns at the cursor."""
        if len(numbers) != len(self.ordering):
            raise _not_a_cursor()
        return [_value(name, number) for name, number in zip(self.ordering, numbers, strict=True)]

    def _numbers_of(self, row: Any) -> list[int]:
        """Return the numbers of a cursor at ``row``."""
        return [_number(_read(row, name.lstrip("-"))) for name in self.ordering]

    def _link(self, direction: int) -> str:
        row = self.rows[-1 if direction == _FORWARD else 0]
        position = self._numbers_of(row)
        cursor = ("cursor", _sqids.encode([direction, *position]))
        return url_with(self.request, [*known_query(self.request, self.known), cursor])


class NewestByTime(NewestFirst):
    """Orders rows by time, newest first. The database finds a period by an index of the time."""

    ordering = ("-created_at", "-id")

    def _position(self, numbers: list[int], rows: Any) -> list[Any]:
        """Accept a cursor of the release before as well: it is the id alone."""
        if len(numbers) != 1 or len(self.ordering) == 1:
            return super()._position(numbers, rows)
        # A cursor with the key of another church's row must not tell when that row was created.
        position = rows.filter(pk=numbers[0]).values_list("created_at", "pk")
        if (found := position.first()) is None:
            raise _not_a_cursor()
        return list(found)


class ByName(NewestFirst):
    """Members by name. The cursor is the key of a member: the name is read from the row.

    The member may have left the list since, but it belongs to the church of the list: otherwise the
    begin of the page would tell the name of a member of another church.
    """

    ordering: tuple[str, ...] = ("search_key", "id")
    ascending = True

    def __init__(self, church: int) -> None:
        self.church = church

    def _position(self, numbers: list[int], rows: Any) -> list[Any]:
        if len(numbers) != 1:
            raise _not_a_cursor()
        return self._position_by_name(numbers[0])

    def _numbers_of(self, row: Any) -> list[int]:
        return [row.pk]

    def _position_by_name(self, key: int) -> list[Any]:
        """Return the name and the key of the member with this key."""
        named = Member.objects.filter(church=self.church, pk=key)
        if (position := named.values_list("search_key", "pk").first()) is None:
            raise _not_a_cursor()
        return list(position)


class BestMatchFirst(ByName):
    """Members that a search found, the best match first (``koinonia.people.search``)."""

    ordering = ("misfit", "search_key", "id")

    def _position(self, numbers: list[int], rows: Any) -> list[Any]:
        if len(numbers) != len(("misfit", "id")):
            raise _not_a_cursor()
        return [numbers[0], *self._position_by_name(numbers[1])]

    def _numbers_of(self, row: Any) -> list[int]:
        return [row.misfit, row.pk]


class LatestFirst(NewestFirst):
    """Latest change first."""

    ordering = ("-updated_at", "-id")


class InboxOrder(NewestFirst):
    """Conversations, the latest first that asked for the office."""

    ordering = ("-inbox_at", "-id")


class LatestDeadFirst(NewestFirst):
    """Dead letters, latest death first."""

    ordering = ("-dead_since", "-id")


def single_page(results: Any) -> Response:
    """Return a list that always fits on one page."""
    return Response({"next": None, "previous": None, "results": results})


def single_page_schema(name: str, item: type[serializers.Serializer[Any]]) -> Any:
    """Return the OpenAPI component of ``single_page``."""
    links = {link: serializers.URLField(allow_null=True) for link in ("next", "previous")}
    return inline_serializer(name, {**links, "results": item(many=True)})


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        raise ValidationError({"page_size": ["A whole number from 1 on is needed."]})
    return LARGEST_PAGE if len(text) > 4 else min(int(text), LARGEST_PAGE)


def _read(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _number(value: Any) -> int:
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else int(value)


def _value(name: str, number: int) -> Any:
    if not name.endswith(("_at", "_since")):
        return number
    try:
        return _EPOCH + number * _MICROSECOND
    except OverflowError:
        raise _not_a_cursor() from None


def _not_a_cursor() -> ValidationError:
    return ValidationError({"cursor": ["This is not a cursor of this list."]})
