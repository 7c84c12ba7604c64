"""Authorization below ``churches/{church}/``: staff of the church, with a role that suffices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from koinonia.api.key_scopes import church_of_key
from koinonia.api.prepared_query import Parameter, PreparedQuery, columns
from koinonia.config import log_context
from koinonia.models import Church, Role, Staff

_RANK = {Role.VIEWER: 0, Role.SENDER: 1, Role.OWNER: 2}


class IsStaffWithRole(BasePermission):
    """Answers 404 to users outside the staff of the church, and 403 if their role is too low.

    A key of another church gets 404, as if its user were not on the staff.

    Superusers get 404 too. The permission sets ``view.membership``.
    """

    message = "Your role in this church does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        membership = membership_of(cast(User, request.user).pk, view.kwargs["church"])
        only = church_of_key(request)
        if membership is None or only not in (None, membership.church_id):
            raise Http404
        view.membership = membership
        log_context.note_church(membership.church_id)
        return suffices(membership.role, view.needed_role())


def suffices(role: str, needed: Role) -> bool:
    """Return whether a membership with ``role`` may do what ``needed`` may do."""
    return _RANK[Role(role)] >= _RANK[needed]


def membership_of(user_id: int, slug: str) -> Staff | None:
    """Return the user's membership of the church, with the church, or None."""
    rows = _MEMBERSHIPS.rows(user=user_id, slug=slug)
    return membership_from(rows[0]) if rows else None


MEMBERSHIP_COLUMNS = (*columns(Staff), *(f"church__{name}" for name in columns(Church)))


def _memberships() -> QuerySet[Any, Any]:
    memberships = Staff.objects.filter(user=Parameter("user"), church__slug=Parameter("slug"))
    return memberships.values_list(*MEMBERSHIP_COLUMNS)


_MEMBERSHIPS = PreparedQuery(_memberships)


def membership_from(row: Sequence[Any]) -> Staff:
    """Return the membership with its church, from the values of ``MEMBERSHIP_COLUMNS``."""
    of_staff, of_church = columns(Staff), columns(Church)
    membership = Staff.from_db("default", of_staff, row[: len(of_staff)])
    membership.church = Church.from_db("default", of_church, row[len(of_staff) :])
    return membership
