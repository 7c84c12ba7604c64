from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

M = TypeVar("M", bound=Model)

_OF_A_VALUE = ("", "__exact", "__isnull", "__isempty")
_OF_A_RELATION = ("__id__exact", "__isnull")

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    class ModelAdmin(admin.ModelAdmin[M]): ...

    class TabularInline(admin.TabularInline[M, Any]): ...

    _Paginator = Paginator[Any]

else:  # Django's own classes take no type arguments without a patch.

    class ModelAdmin(admin.ModelAdmin, Generic[M]): ...

    class TabularInline(admin.TabularInline, Generic[M]): ...

    _Paginator = Paginator


def to_the_second(field: str, heading: str = "at") -> Callable[[Any, Model], str]:
    """A column with the time in ``field`` to the second: texts are tried again after one."""

    @admin.display(description=heading, ordering=field)
    def shown(_admin: object, row: Model) -> str:
        at = getattr(row, field)
        return "-" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"

    return shown


class CappedPaginator(_Paginator):
    """Counts no further than ten thousand: beyond that nobody turns pages."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[: self.most].count()


def who(request: HttpRequest) -> User:
    """The person who acts: the admin lets nobody in who is not logged in."""
    return cast("User", request.user)


class ReadOnlyAdmin(ModelAdmin[M]):
    """To look at. Nothing is added, changed or deleted by hand.

    The list is filtered by what ``list_filter`` names alone: Django lets everybody who sees a list
    filter it by any column, so that masked numbers and hidden texts could be guessed.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        if "\0" in str(value) or request is None:
            return False  # PostgreSQL takes no NUL.
        return any(lookup in _parameters(self.opts, one) for one in self.get_list_filter(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def _parameters(opts: Any, shown: Any) -> set[str]:
    """Return the parameters of one filter of ``list_filter``."""
    if isinstance(shown, type) and issubclass(shown, admin.SimpleListFilter):
        return {str(shown.parameter_name)}
    field = shown if isinstance(shown, str) else shown[0]
    # A relation by its bare name takes any number, and SQLite has no number of forty digits.
    suffixes = _OF_A_RELATION if opts.get_field(field).is_relation else _OF_A_VALUE
    return {f"{field}{suffix}" for suffix in suffixes}


class ReadOnlyInline(TabularInline[M]):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
