"""Churches and their people in the Django admin: for superusers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from koinonia.admin_owners import KeepsOwners, StaffForm, StaffFormSet
from koinonia.models import Church, Group, Member, Staff
from koinonia.names import search_key

if TYPE_CHECKING:
    ChurchAdminBase = admin.ModelAdmin[Church]
    GroupAdminBase = admin.ModelAdmin[Group]
    MemberAdminBase = admin.ModelAdmin[Member]
    StaffAdminBase = admin.ModelAdmin[Staff]
    UserAdminBase = UserAdmin[User]
    StaffInlineBase = admin.TabularInline[Staff, Church]
else:
    # Django's admin classes take no type arguments at run time.
    ChurchAdminBase = GroupAdminBase = MemberAdminBase = StaffAdminBase = admin.ModelAdmin
    StaffInlineBase, UserAdminBase = admin.TabularInline, UserAdmin


admin.site.site_title = admin.site.site_header = "Koinonia"


class StaffInline(StaffInlineBase):
    model = Staff
    formset = StaffFormSet
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Church)
class ChurchAdmin(ChurchAdminBase):
    list_display = ["name", "slug", "phone_number", "timezone"]
    search_fields = ["name", "slug", "phone_number"]
    inlines = [StaffInline]


@admin.register(Staff)
class StaffAdmin(KeepsOwners, StaffAdminBase):
    form = StaffForm
    list_display = ["user", "church", "role", "created_at"]
    list_filter = ["role", "church"]
    list_select_related = ["user", "church"]
    search_fields = ["user__username", "church__name"]
    autocomplete_fields = ["user", "church"]


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(KeepsOwners, UserAdminBase):
    """Django's own, but who is a church's last owner stays."""


@admin.register(Member)
class MemberAdmin(MemberAdminBase):
    list_display = ["__str__", "phone", "church", "created_at"]
    list_filter = ["church"]
    list_select_related = ["church"]
    search_fields = ["search_key", "phone"]
    autocomplete_fields = ["church", "groups"]
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """Search without regard to case and accents, as the API does."""
        return super().get_search_results(request, queryset, search_key(search_term))


@admin.register(Group)
class GroupAdmin(GroupAdminBase):
    list_display = ["name", "church"]
    list_filter = ["church"]
    list_select_related = ["church"]
    search_fields = ["name"]
    autocomplete_fields = ["church"]
