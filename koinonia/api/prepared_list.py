"""A list of one shape: Django compiles the statements of its pages once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import Model, QuerySet

from koinonia.api.prepared_query import Parameter, PreparedQuery

_M = TypeVar("_M", bound=Model)


class Order(Protocol):
    """Arranges a queryset to a page: a pagination of ``koinonia.api.pagination``."""

    def arranged(self, rows: Any, position: Sequence[Any], *, back: bool) -> Any: ...


class PreparedList(Generic[_M]):
    """A list without the filters of a visitor. ``template`` is as for a :class:`PreparedQuery`.

    The list has a statement for the first page, one for later pages, and one for the way back.
    """

    def __init__(self, template: Callable[[], QuerySet[_M, _M]]) -> None:
        self.template = template
        self._statements: dict[tuple[Any, ...], PreparedQuery[_M]] = {}

    def of(self, **given: Any) -> GivenList[_M]:
        """Return the list with these parameters."""
        return GivenList(self, given)

    def statement(
        self, order: Order, position: Sequence[Any], back: bool, most: int
    ) -> PreparedQuery[_M]:
        """Return the statement of a page with ``most`` rows. A pagination bounds ``most``."""
        key = type(order), bool(position), back, most
        if key not in self._statements:
            places = [Parameter(name) for name in _names(position)]
            self._statements[key] = PreparedQuery(
                lambda: order.arranged(self.template(), places, back=back)[:most]
            )
        return self._statements[key]


class GivenList(Generic[_M]):
    """A :class:`PreparedList` with its parameters."""

    def __init__(self, rows: PreparedList[_M], given: Mapping[str, Any]) -> None:
        self._list, self._given = rows, given

    @property
    def model(self) -> type[_M]:
        return self._list.template().model

    def page(self, order: Order, position: Sequence[Any], *, back: bool, most: int) -> list[_M]:
        """Return the rows beyond a position."""
        statement = self._list.statement(order, position, back, most)
        places = dict(zip(_names(position), position, strict=True))
        return statement.objects(**self._given, **places)


def _names(position: Sequence[Any]) -> list[str]:
    return [f"position_{number}" for number in range(len(position))]
