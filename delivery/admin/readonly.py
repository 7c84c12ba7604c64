from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:

    class ModelAdmin(admin.ModelAdmin[M]): ...

    class TabularInline(admin.TabularInline[M, Any]): ...

else:  # Django's own classes take no type arguments without a patch.

    class ModelAdmin(admin.ModelAdmin, Generic[M]): ...

    class TabularInline(admin.TabularInline, Generic[M]): ...


class CappedPaginator(Paginator[Any] if TYPE_CHECKING else Paginator):
    """Counts no further than ten thousand: beyond that nobody turns pages."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        return int(self.object_list[: self.most].count())


class ReadOnlyAdmin(ModelAdmin[M]):
    """To look at. Nothing is added, changed or deleted by hand."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

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
