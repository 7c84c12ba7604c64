"""The latest messages of several statuses, by the index of watched messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, QuerySet, When
from django.db.models.lookups import In

from delivery.models import Message

_STATUS = Message._meta.get_field("status")


def latest(rows: QuerySet[Any], statuses: list[str], *, oldest: bool = False) -> Iterator[Any]:
    """Yield the rows of each of ``statuses`` by their last change, from the index of watched messages.

    The index holds one status after the other, so that one query for several has to sort them all.
    """
    order = ("updated_at", "pk") if oldest else ("-updated_at", "-pk")
    for status in statuses:
        yield _without_statuses(rows).filter(status=status).order_by(*order)


def _without_statuses(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows of any status.

    With ``status IN (…)`` and ``status = …`` PostgreSQL expects the product of both shares, a hundred rows
    in place of many thousands, and reads them all to sort them.
    """
    rows = rows.all()
    where = rows.query.where
    where.children = [
        one for one in where.children
        if not (isinstance(one, In) and getattr(one.lhs, "target", None) == _STATUS)
    ]  # fmt: skip
    return rows


def not_discarded(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows that were not discarded.

    The condition is a ``CASE``, from which PostgreSQL does not conclude that the index of the messages for
    people fits too: it would combine both indexes, with an estimate of a few rows, and sort all.
    """
    return rows.filter(Case(When(discarded_at__isnull=True, then=True), default=False))
