"""Daily caps: a tenant's cap, its use, and since when its messages wait."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from delivery import conf
from delivery.admin import tenants
from delivery.admin.closed_lookups import ClosedLookups
from delivery.admin.readonly import ModelAdmin, to_the_second
from delivery.limits import spend
from delivery.models import SpendLimit


@admin.register(SpendLimit)
class SpendLimitAdmin(ClosedLookups, ModelAdmin[SpendLimit]):
    class Media:
        css = {"all": ["delivery/admin.css"]}  # Django's own form of it

    list_display = ["whose", "cap", "used", "waits_since", "goes_on"]
    list_display_links = ["whose"]
    list_select_related = ["tenant"]
    whose = tenants.column()
    waits_since = to_the_second("reached_at", "texts wait since")
    goes_on = to_the_second("waits_until", "next goes at")
    ordering = ["-reached_at", "pk"]

    @admin.display(description="used in 24 hours")
    def used(self, limit: SpendLimit) -> int:
        return spend.current(limit.tenant_id, timezone.now()).parts

    def get_fields(self, request: HttpRequest, obj: SpendLimit | None = None) -> Any:
        return ["whose", "cap", "used", "waits_since", "goes_on"] if obj else ["tenant", "cap"]

    def get_readonly_fields(self, request: HttpRequest, obj: SpendLimit | None = None) -> list[str]:
        return ["whose", "used", "waits_since", "goes_on"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the tenant that was chosen before: a list of all of them has no bound."""
        chosen = _chosen(request)
        kwargs["queryset"] = apps.get_model(conf.tenant_model())._default_manager.filter(
            pk__in=[] if chosen is None else [chosen.pk]
        )
        kwargs.update(label=tenants.name().capitalize(), empty_label=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Daily caps", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the tenant, then for its cap. A tenant with a cap has a page already."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen, back = _chosen(request), reverse("admin:delivery_spendlimit_changelist")
        if chosen is None:
            title = f"Daily cap of a {tenants.name()}"
            return tenants.choose(request, self, title=title, back=back, back_title="Daily caps")
        if SpendLimit.objects.filter(tenant=chosen.pk).exists():
            return HttpResponseRedirect(
                reverse("admin:delivery_spendlimit_change", args=[chosen.pk])
            )
        shown = {"title": f"Daily cap of {chosen}", **(extra_context or {})}
        return super().add_view(request, form_url, shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        limit = self.get_object(request, object_id)
        shown = {"title": f"Daily cap of {limit.tenant}", "subtitle": None} if limit else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SpendLimit | None:
        """Return the limit of a tenant, or None for an impossible key.

        The query compares the tenant's primary key: only that field knows which values fit its column.
        """
        of_key = apps.get_model(conf.tenant_model())._default_manager
        try:
            return SpendLimit.objects.filter(tenant__in=of_key.filter(pk=object_id)).first()
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


def _chosen(request: HttpRequest) -> Any | None:
    return tenants.by_key(request.POST.get("tenant") or request.GET.get("tenant", ""))
