"""Inbound messages that look like a request to stop, with an action that opts the senders out."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from delivery import opt_outs
from delivery.admin import tenants
from delivery.admin.filters import TenantFilter
from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from delivery.models import OptOut, StopRequest
from delivery.statuses import Status


@admin.register(StopRequest)
class StopRequestAdmin(ReadOnlyAdmin[StopRequest]):
    list_display = ["from_number", "whose", "text", "received", "opted_out"]
    list_display_links = None
    whose = tenants.column()
    received = to_the_second("created_at", "received")
    list_filter = [TenantFilter]
    statuses = [Status.RECEIVED.value]
    common_fields = ("tenant",)
    list_select_related = ["tenant"]
    # The last change: the receipt, or a person of the tenant has read it.
    ordering = ["-updated_at", "-pk"]
    sortable_by = ()
    actions = ["opt_out_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StopRequest]:
        watched = StopRequest.objects.watched(Status.RECEIVED).filter(asks_to_stop=True)
        return cast("QuerySet[StopRequest]", watched)

    def has_opt_out_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.add_optout")

    @admin.display(boolean=True, description="opted out")
    def opted_out(self, row: StopRequest) -> bool:
        return bool(opt_outs.opted_out(row.tenant_id, [row.from_number]))

    @admin.action(description="Opt out the senders", permissions=["opt_out"])
    def opt_out_selected(self, request: HttpRequest, queryset: QuerySet[StopRequest]) -> None:
        wanted = set(queryset.values_list("tenant_id", "from_number"))
        # Sorted, so that two requests cannot deadlock.
        for tenant_id, number in sorted(wanted, key=str):
            opt_outs.opt_out(
                tenant_id, number, OptOut.Source.STAFF, now=timezone.now(), by=request.user
            )
        self.message_user(request, f"Opted out: {len(wanted)}.", messages.SUCCESS)
