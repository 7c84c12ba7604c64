from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from delivery.admin.bounded import BoundedList
from delivery.admin.closed_lookups import ClosedLookups

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    class ModelAdmin(admin.ModelAdmin[M]): ...

    class TabularInline(admin.TabularInline[M, Any]): ...

else:  # Django's own classes take no type arguments without a patch.

    class ModelAdmin(admin.ModelAdmin, Generic[M]): ...

    class TabularInline(admin.TabularInline, Generic[M]): ...


def to_the_second(field: str, heading: str = "at") -> Callable[[Any, Model], str]:
    """Return a column with the time in ``field`` to the second and its zone: retries are seconds apart."""

    @admin.display(description=heading, ordering=field)
    def shown(_admin: object, row: Model) -> str:
        return second_of(getattr(row, field))

    return shown


def second_of(at: datetime | None) -> str:
    """Return the time to the second with its zone, for a cell of a list."""
    return "-" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def acting_user(request: HttpRequest) -> User:
    """Return the user of the request: the admin requires a login."""
    return cast("User", request.user)


class ReadOnlyAdmin(BoundedList, ClosedLookups, ModelAdmin[M]):
    """An admin without adding, changing or deleting."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline[M]):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
