from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from koinonia.api.prepared_query import PreparedQuery
from koinonia.models import Church, Role, Staff

_RANK = {Role.VIEWER: 0, Role.SENDER: 1, Role.OWNER: 2}


class IsStaffWithRole(BasePermission):
    """404 for who is not staff of the church, superusers too; 403 where the role is too low.

    It leaves the user's place in the church in ``view.place``.
    """

    message = "Your role in this church does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        place = staff_place(cast(User, request.user).pk, view.kwargs["church"])
        if place is None:
            raise Http404
        view.place = place
        return _RANK[Role(place.role)] >= _RANK[view.needed_role()]


def staff_place(user_id: int, slug: str) -> Staff | None:
    """The row that makes a user staff of the church, with the church."""
    rows = _PLACES.rows(user_id, slug)
    return _place(rows[0]) if rows else None


# In the order of the models, as from_db wants them.
_STAFF = ("id", "church_id", "user_id", "role")
_CHURCH = (
    "id", "slug", "name", "phone_number", "country", "timezone", "plain_punctuation", "version",
)  # fmt: skip


def _places() -> QuerySet[Any, Any]:
    columns = [*_STAFF, *(f"church__{name}" for name in _CHURCH)]
    return Staff.objects.filter(user_id=0).filter(church__slug="").values_list(*columns)


_PLACES = PreparedQuery(_places)


def _place(row: tuple[Any, ...]) -> Staff:
    place = Staff.from_db("default", _STAFF, row[: len(_STAFF)])
    place.church = Church.from_db("default", _CHURCH, row[len(_STAFF) :])
    return place
