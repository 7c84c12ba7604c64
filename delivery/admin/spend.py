"""Daily caps: a tenant's cap, its use, and since when its messages wait."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from delivery import conf
from delivery.admin.closed_lookups import ClosedLookups
from delivery.admin.readonly import ModelAdmin, to_the_second
from delivery.limits import spend
from delivery.models import SpendLimit


@admin.register(SpendLimit)
class SpendLimitAdmin(ClosedLookups, ModelAdmin[SpendLimit]):
    class Media:
        css = {"all": ["delivery/admin.css"]}  # Django's own form of it

    list_display = ["tenant", "cap", "used", "waits_since", "goes_on"]
    list_select_related = ["tenant"]
    waits_since = to_the_second("reached_at", "texts wait since")
    goes_on = to_the_second("waits_until", "next goes at")
    raw_id_fields = ["tenant"]
    ordering = ["-reached_at", "pk"]

    @admin.display(description="used in 24 hours")
    def used(self, limit: SpendLimit) -> int:
        return spend.current(limit.tenant_id, timezone.now()).parts

    def get_readonly_fields(self, request: HttpRequest, obj: SpendLimit | None = None) -> list[str]:
        return ["tenant", "used", "reached_at", "waits_until"] if obj else []

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SpendLimit | None:
        """Return the limit of a tenant, or None for an impossible key.

        The query compares the tenant's primary key: only that field knows which values fit its column.
        """
        tenants = apps.get_model(conf.tenant_model())._default_manager
        try:
            return SpendLimit.objects.filter(tenant__in=tenants.filter(pk=object_id)).first()
        except (ValidationError, ValueError):
            return None

    def has_delete_permission(self, request: HttpRequest, obj: SpendLimit | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SpendLimit, form: Any, change: bool) -> None:
        """Save, and apply the new cap to the waiting messages at once."""
        if change:
            obj.save(update_fields=["cap"])
        else:
            super().save_model(request, obj, form, change)
        spend.release(obj.tenant_id, timezone.now())
